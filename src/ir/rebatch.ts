/** @file The same network for another batch size: a checkpoint stores its graph for one image. */

import type { Graph } from "./graph.ts";

/**
 * The graph with the leading extent of images, labels and values changed to `batch`; null where one
 * of them does not have the graph's batch there, so that the graph was made for its own size alone.
 */
export function rebatch(graph: Graph, batch: number): Graph | null {
  if (graph.batch === batch) return graph;
  const perImage = new Set(["images", "labels", "value"]);
  const fits = graph.tensors.every(
    ({ role, shape }) => !perImage.has(role) || shape[0] === graph.batch,
  );
  if (!fits) return null;
  const tensors = graph.tensors.map((tensor) =>
    perImage.has(tensor.role) ? { ...tensor, shape: [batch, ...tensor.shape.slice(1)] } : tensor,
  );
  return { ...graph, batch, tensors };
}
