/** @file How much arithmetic a graph is. */

import { byName, type Graph, type Node } from "../../ir/index.ts";
import { opNamed } from "../../ops/index.ts";

/** Additions and multiplications of one node. */
export function nodeFlops(graph: Graph, node: Node): number {
  const op = opNamed(node.op);
  if (!op.flops) return 0;
  const shapesOf = (ids: readonly number[]) => ids.map((id) => graph.tensors[id]!.shape);
  const inputs = byName(op.inputs, shapesOf(node.inputs));
  const outputs = byName(op.outputs, shapesOf(node.outputs));
  return op.flops({ ...inputs, ...outputs }, node.attributes);
}

/** Of a training graph: what runs up to the loss, and what runs after it. */
export function countFlops(graph: Graph): { forward: number; backward: number } {
  const loss = graph.nodes.findIndex(({ outputs }) => outputs.includes(graph.outputs.loss!));
  const total = (nodes: readonly Node[]) =>
    nodes.reduce((sum, node) => sum + nodeFlops(graph, node), 0);
  return {
    forward: total(graph.nodes.slice(0, loss + 1)),
    backward: total(graph.nodes.slice(loss + 1)),
  };
}
