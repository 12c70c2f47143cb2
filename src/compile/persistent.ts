/**
 * @file What outlives a step: parameters, running statistics, constants and optimizer state. The
 * training program decides their layouts; every program of the network numbers them alike.
 */

import type { Initializer } from "../core/initializer.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { BufferSpec, Session } from "../program/index.ts";
import type { LaidOutGraph, LaidOutTensor } from "./lay-out.ts";
import { aligned } from "./offsets.ts";
import type { PersistentTensor } from "./types.ts";

export interface PersistentTensors {
  readonly tensors: readonly PersistentTensor[];
  readonly bytes: number;
  /** By name; of state "features.0.weight:m". */
  readonly bufferOf: ReadonlyMap<string, BufferSpec>;
}

const ROLES = ["parameter", "statistic", "constant"] as const;

export const stateName = (parameter: string, state: string) => `${parameter}:${state}`;

/**
 * Parameters first, in order of declaration, so that their ordinals, and with them the initial
 * weights of a seed, depend on the network alone; then statistics, constants, and the state of
 * each trainable parameter, which has the parameter's shape and layout.
 */
export function persistentTensors(
  graph: LaidOutGraph,
  state: Optimizer["state"],
): PersistentTensors {
  const tensors: PersistentTensor[] = [];
  let bytes = 0;
  const place = (
    role: PersistentTensor["role"],
    name: string,
    like: LaidOutTensor,
    initializer: Initializer,
  ) => {
    const { shape, dtype, layout } = like;
    const [id, offset] = [tensors.length, bytes];
    const region = "persistent" as const;
    const buffer = { id, name, shape, dtype, layout, bytes: like.bytes, region, offset };
    const values = like.values && { values: like.values };
    tensors.push({ name, role, buffer, initializer, ordinal: id, ...values });
    bytes += aligned(like.bytes);
  };

  const laidOut = [...graph.tensors.values()].sort((a, b) => a.id - b.id);
  const zero = { kind: "constant", value: 0 } as const;
  for (const role of ROLES)
    for (const tensor of laidOut)
      if (tensor.role === role) place(role, tensor.name, tensor, tensor.initializer ?? zero);
  for (const parameter of graph.gradients.keys()) {
    const like = graph.tensors.get(parameter)!;
    for (const { name, initial } of state)
      place("state", stateName(like.name, name), like, { kind: "constant", value: initial });
  }
  return { tensors, bytes, bufferOf: new Map(tensors.map(({ name, buffer }) => [name, buffer])) };
}

/** Begin every tensor as it is declared: drawn by the seed, constant, or given values. */
export function initializeTensors(
  session: Session,
  tensors: readonly PersistentTensor[],
  seed: number,
): void {
  for (const { buffer, initializer, ordinal, values } of tensors)
    if (values) session.write(buffer, Float64Array.from(values));
    else session.initialize(buffer, initializer, seed, ordinal);
}
