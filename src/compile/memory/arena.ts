/**
 * @file The memory plan: which tensors share memory (aliases, and results written over an operand
 * that nobody reads again), how long each piece of memory is needed, and where in the arena it lies.
 */

import { byName, lastUses } from "../../ir/index.ts";
import { opNamed } from "../../ops/index.ts";
import { type LaidOutGraph, type LaidOutNode, REORDER } from "./lay-out.ts";
import { type Block, lowerBoundBytes, pack } from "./offsets.ts";

/** One piece of arena memory: a tensor with all that share its bytes, or a scratchpad. */
export interface Storage extends Block {
  /** Tensors that lie here, in the order in which they are written. */
  readonly tensors: readonly number[];
  /** Node whose scratchpad it is; -1 for tensors. */
  readonly scratchOf: number;
  readonly offset: number;
}

export interface MemoryPlan {
  readonly storages: readonly Storage[];
  /** Storage of an arena tensor, by id. */
  readonly storageOf: ReadonlyMap<number, Storage>;
  /** Scratchpad of a node, by the node's index. */
  readonly scratchOf: ReadonlyMap<number, Storage>;
  /** What an alias outside the arena is an alias of (a flattened image): id by id. */
  readonly aliasOf: ReadonlyMap<number, number>;
  readonly peakBytes: number;
  readonly lowerBoundBytes: number;
}

interface Draft {
  bytes: number;
  first: number;
  last: number;
  readonly tensors: number[];
  readonly scratchOf: number;
}

export interface PlanOptions {
  /** Default true; false gives every result memory of its own, for a test to compare with. */
  readonly inPlace?: boolean;
  /** Scratchpad of the update at the end; default 0. In `scratchOf` under the number of nodes. */
  readonly updateBytes?: number;
}

/** Plans the arena of one program. Gradients of parameters live to the end: the optimizer reads them. */
export function plan(
  graph: LaidOutGraph,
  { inPlace = true, updateBytes = 0 }: PlanOptions = {},
): MemoryPlan {
  const end = graph.nodes.length;
  const last = lastUses(graph);
  for (const gradient of graph.gradients.values()) last.set(gradient, end);
  const outputs = new Set(Object.values(graph.outputs));
  const draftOf = new Map<number, Draft>();
  const drafts: Draft[] = [];
  const aliasOf = new Map<number, number>();

  const open = (draft: Draft) => {
    drafts.push(draft);
    return draft;
  };
  const share = (draft: Draft, id: number) => {
    draft.tensors.push(id);
    draft.last = Math.max(draft.last, last.get(id) ?? draft.first);
    draftOf.set(id, draft);
  };

  graph.nodes.forEach((node, index) => {
    for (const id of node.outputs) {
      if (outputs.has(id)) continue;
      const { bytes } = graph.tensors.get(id)!;
      const source = node.op === REORDER ? undefined : aliased(node);
      const overwritten = (inPlace ? inPlaceOperands(graph, node, id) : [])
        .map((operand) => draftOf.get(operand))
        .find((draft) => draft !== undefined && draft.last <= index);
      const shared = source === undefined ? overwritten : draftOf.get(source);
      if (shared) share(shared, id);
      else if (source !== undefined) aliasOf.set(id, aliasOf.get(source) ?? source);
      else share(open({ bytes, first: index, last: index, tensors: [], scratchOf: -1 }), id);
    }
    if (node.scratchBytes > 0)
      open({ bytes: node.scratchBytes, first: index, last: index, tensors: [], scratchOf: index });
  });

  if (updateBytes > 0)
    open({ bytes: updateBytes, first: end, last: end, tensors: [], scratchOf: end });

  const { offsets, peakBytes } = pack(drafts, graph.alignment);
  const storages = drafts.map((draft, i): Storage => ({ ...draft, offset: offsets[i]! }));
  const tensors = storages.flatMap((storage) =>
    storage.tensors.map((id) => [id, storage] as const),
  );
  const scratch = storages.filter(({ scratchOf }) => scratchOf >= 0);
  return {
    storages,
    storageOf: new Map(tensors),
    scratchOf: new Map(scratch.map((storage) => [storage.scratchOf, storage])),
    aliasOf,
    peakBytes,
    lowerBoundBytes: lowerBoundBytes(drafts, graph.alignment),
  };
}

/** The tensor whose memory an alias is. */
const aliased = ({ op, inputs }: LaidOutNode) => (opNamed(op).alias ? inputs[0] : undefined);

/** Operands of equal layout that the op may overwrite with an output, once nobody else reads them. */
function inPlaceOperands(graph: LaidOutGraph, node: LaidOutNode, output: number): number[] {
  if (node.op === REORDER) return [];
  const op = opNamed(node.op);
  const inputs = byName(op.inputs, node.inputs);
  const outputs = byName(op.outputs, node.outputs);
  const result = graph.tensors.get(output)!;
  const candidates = (op.inPlace ?? [])
    .filter(([, to]) => outputs[to] === output)
    // An optional operand may be absent.
    .flatMap(([from]) => graph.tensors.get(inputs[from] ?? -1) ?? []);
  return candidates
    .filter(({ layout, bytes }) => layout === result.layout && bytes === result.bytes)
    .map(({ id }) => id);
}
