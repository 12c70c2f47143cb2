/**
 * @file What outlives a step: parameters, running statistics, constants and optimizer state. The
 * training program decides their layouts; every program of the network numbers them alike.
 */

import type { Initializer } from "../../core/initializer.ts";
import { elementCount } from "../../core/shapes.ts";
import type { Optimizer, OptimizerState, StateShape } from "../../optimizers/index.ts";
import { type BufferSpec, plainLayout, type Session } from "../../program/index.ts";
import { isMatrixOf } from "../encode/encode-optimizer.ts";
import { type FoldedBuffer, foldedBuffers, writeFolded } from "../graph/fold.ts";
import type { PersistentTensor } from "../types.ts";
import type { LaidOutGraph, LaidOutTensor } from "./lay-out.ts";
import { aligned } from "./offsets.ts";

export interface PersistentTensors {
  readonly tensors: readonly PersistentTensor[];
  readonly bytes: number;
  readonly folded: readonly FoldedBuffer[];
  /** By name; of state "features.0.weight:m". */
  readonly bufferOf: ReadonlyMap<string, BufferSpec>;
}

const ROLES = ["parameter", "statistic", "constant", "folded"] as const;

/** "features.0.weight:m"; of a state that is one value in all "optimizer:m". */
export const stateName = (parameter: string, { name, shape }: OptimizerState) =>
  shape === "global" ? `optimizer:${name}` : `${parameter}:${name}`;

/**
 * Parameters first, in order of declaration, so that their ordinals, and with them the initial
 * weights of a seed, depend on the network alone; then statistics, constants, folded weights, and the
 * state of each trainable parameter. State of the parameter's shape has its layout too.
 */
export function persistentTensors(
  graph: LaidOutGraph,
  optimizer: Optimizer | null,
): PersistentTensors {
  const tensors: PersistentTensor[] = [];
  let bytes = 0;
  const place = (
    role: PersistentTensor["role"],
    name: string,
    like: Pick<LaidOutTensor, "shape" | "dtype" | "layout" | "bytes" | "values">,
    initializer: Initializer,
    ordinal = tensors.length,
    copyOf?: string,
  ) => {
    const { shape, dtype, layout } = like;
    const [id, offset] = [tensors.length, bytes];
    const region = "persistent" as const;
    const buffer = { id, name, shape, dtype, layout, bytes: like.bytes, region, offset };
    const values = like.values && { values: like.values };
    const copied = copyOf !== undefined && { copyOf };
    tensors.push({ name, role, buffer, initializer, ordinal, ...copied, ...values });
    bytes += aligned(like.bytes, graph.alignment);
  };

  const laidOut = [...graph.tensors.values()].sort((a, b) => a.id - b.id);
  const zero = { kind: "constant", value: 0 } as const;
  for (const role of ROLES)
    for (const tensor of laidOut)
      if (tensor.role === role)
        place(role, tensor.name, tensor, tensor.initializer ?? zero, tensor.ordinal);
  const kinds = segmentKinds(graph);
  const placed = new Set<string>();
  for (const parameter of graph.gradients.keys()) {
    const like = graph.tensors.get(parameter)!;
    const { ordinal, initializer } = tensors.find(({ name }) => name === like.name)!;
    for (const state of statesOf(optimizer, kinds.get(parameter)!)) {
      const name = stateName(like.name, state);
      if (placed.has(name)) continue;
      placed.add(name);
      // The same initializer with the same ordinal draws the same values.
      if (state.initial === "parameter")
        place("state", name, like, initializer, ordinal, like.name);
      else
        place("state", name, shapedLike(like, state.shape), {
          kind: "constant",
          value: state.initial,
        });
    }
  }
  const bufferOf = new Map(tensors.map(({ name, buffer }) => [name, buffer]));
  return { tensors, bytes, bufferOf, folded: foldedBuffers(graph.tensors, bufferOf) };
}

/** What an update has to know of each trainable parameter, by id. */
export interface SegmentKind {
  readonly isWeight: boolean;
  /** A weight that is neither the network's first nor its last. */
  readonly isHidden: boolean;
  /** Of the matrix (out, in), in which a convolution's channels and taps make one row. */
  readonly rows: number;
  readonly columns: number;
}

export function segmentKinds(graph: LaidOutGraph): ReadonlyMap<number, SegmentKind> {
  const weights = [...graph.tensors.values()]
    .filter(({ role, shape }) => role === "parameter" && shape.length >= 2)
    .sort((a, b) => a.id - b.id);
  const ends = [weights[0]?.id, weights.at(-1)?.id];
  return new Map(
    [...graph.gradients.keys()].map((id) => {
      const { shape } = graph.tensors.get(id)!;
      const isWeight = shape.length >= 2;
      const rows = shape[0]!;
      const columns = elementCount(shape) / rows;
      return [id, { isWeight, isHidden: isWeight && !ends.includes(id), rows, columns }];
    }),
  );
}

/** The states that the rule of such a tensor has. */
export const statesOf = (optimizer: Optimizer | null, kind: SegmentKind) =>
  (optimizer?.state ?? []).filter(
    ({ only }) => !only || (only === "matrices") === isMatrixOf(optimizer!, kind),
  );

function shapedLike(like: LaidOutTensor, shape: StateShape) {
  if (shape === "parameter") return like;
  const rows = like.shape[0]!;
  const extents = { row: rows, column: elementCount(like.shape) / rows, tensor: 1, global: 1 };
  const extent = extents[shape];
  return { shape: [extent], dtype: "f32", layout: plainLayout(1), bytes: 4 * extent } as const;
}

/** Begin every tensor as it is declared: drawn by the seed, constant, or given values; then fold. */
export async function initializeTensors(
  session: Session,
  { tensors, folded }: PersistentTensors,
  seed: number,
): Promise<void> {
  for (const { buffer, initializer, ordinal, values } of tensors)
    if (values) await session.write(buffer, Float64Array.from(values));
    else await session.initialize(buffer, initializer, seed, ordinal);
  await writeFolded(session, folded);
}
