/**
 * @file What need not be computed: gradients of what lies before the first trainable parameter,
 * and nodes whose results nobody reads.
 */

import type { DifferentiatedGraph, Graph, Node } from "../../ir/index.ts";

/** Ids of the tensors that depend on a trainable parameter: the ones that need a gradient. */
export function needingGradient(graph: Graph): Set<number> {
  const parameters = graph.tensors.filter(
    ({ role, trainable }) => role === "parameter" && trainable,
  );
  const needing = new Set(parameters.map(({ id }) => id));
  for (const { inputs, outputs } of graph.nodes)
    if (inputs.some((id) => needing.has(id))) for (const id of outputs) needing.add(id);
  return needing;
}

/** The graph without the nodes from which neither an output nor a parameter's gradient follows. */
export function trim<G extends Graph | DifferentiatedGraph>(graph: G): G {
  const gradients = "gradients" in graph ? [...graph.gradients.values()] : [];
  const read = new Set([...Object.values(graph.outputs), ...gradients]);
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((id) => read.has(id))) continue;
    for (const id of node.inputs) read.add(id);
    kept.unshift(node);
  }
  return { ...graph, nodes: kept };
}
