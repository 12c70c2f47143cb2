/** @file A graph under change: what the fusion passes share. */

import { consumers, type Graph, type Node, type Tensor } from "../../ir/index.ts";

/** Nodes are replaced or removed, tensors appended. */
export interface Draft {
  readonly tensors: Tensor[];
  readonly nodes: Node[];
  readonly outputs: Graph["outputs"];
}

export const replace = (draft: Draft, old: Node, by: Node): void => {
  draft.nodes[draft.nodes.indexOf(old)] = by;
};

export const remove = (draft: Draft, old: Node): void => {
  draft.nodes.splice(draft.nodes.indexOf(old), 1);
};

/** The one node that reads a tensor; undefined where several do, none, or the graph's reader. */
export function soleConsumer(draft: Draft, id: number): Node | undefined {
  const [first, ...others] = consumers(draft, id);
  return others.length === 0 && !Object.values(draft.outputs).includes(id) ? first : undefined;
}

/** The node that makes a tensor which one node alone reads. */
export const soleProducer = (draft: Draft, id: number): Node | undefined =>
  soleConsumer(draft, id) && draft.nodes.find(({ outputs }) => outputs.includes(id));

/** A new tensor of bytes, an element for each of y's, that a node leaves for its derivative. */
export function newWorkspace(draft: Draft, { layer }: Node, y: number): number {
  const id = draft.tensors.length;
  const { shape } = draft.tensors[y]!;
  draft.tensors.push({ id, name: `${layer}:workspace`, role: "value", shape, dtype: "u8" });
  return id;
}
