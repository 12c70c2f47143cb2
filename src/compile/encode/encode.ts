/** @file The last pass: a laid-out graph and its memory plan become a flat program. */

import type { OptimizerState } from "../../optimizers/index.ts";
import {
  type BufferSpec,
  type Instruction,
  type InstructionKind,
  layoutBytes,
  type Program,
  plainLayout,
} from "../../program/index.ts";
import type { MemoryPlan } from "../memory/arena.ts";
import type { LaidOutGraph, LaidOutTensor } from "../memory/lay-out.ts";
import { aligned } from "../memory/offsets.ts";
import { type PersistentTensors, stateName } from "../memory/persistent.ts";
import { encodeUpdate, type UpdateOptions } from "./encode-update.ts";

export interface EncodeOptions {
  readonly name: string;
  readonly graph: LaidOutGraph;
  readonly plan: MemoryPlan;
  readonly persistent: PersistentTensors;
  readonly scalars: readonly string[];
  /** Only of a training program. */
  readonly update?: UpdateOptions;
  /** State that stands for the parameters that have it; default: the parameters themselves. */
  readonly weights?: OptimizerState | undefined;
}

/** Bytes of a program's region "outputs". */
export const outputBytes = ({ buffers }: Program, alignment: number): number =>
  buffers
    .filter(({ region }) => region === "outputs")
    .reduce((end, { offset, bytes }) => Math.max(end, offset + aligned(bytes, alignment)), 0);

export function encode(options: EncodeOptions): Program {
  const { name, graph, plan, persistent, scalars, update, weights } = options;
  const buffers: BufferSpec[] = persistent.tensors.map(({ buffer }) => buffer);
  const idOf = new Map<number, number>();
  const add = (buffer: Omit<BufferSpec, "id">): number => {
    buffers.push({ id: buffers.length, ...buffer });
    return buffers.length - 1;
  };

  let outputOffset = 0;
  const outputs = Object.entries(graph.outputs).map(([output, tensor]) => {
    const spec = { ...specOf(graph.tensors.get(tensor)!), region: "outputs", offset: outputOffset };
    outputOffset += aligned(spec.bytes, graph.alignment);
    const id = add({ ...spec, region: "outputs" });
    idOf.set(tensor, id);
    return [output, id] as const;
  });
  for (const tensor of graph.tensors.values()) {
    if (idOf.has(tensor.id)) continue;
    const other =
      weights && tensor.role === "parameter"
        ? persistent.bufferOf.get(stateName(tensor.name, weights))
        : undefined;
    const kept =
      tensor.role === "value" ? undefined : (other ?? persistent.bufferOf.get(tensor.name));
    idOf.set(
      tensor.id,
      kept ? kept.id : add({ ...specOf(tensor), ...placeOf(tensor, graph, plan) }),
    );
  }

  const instructions: Instruction[] = [];
  graph.nodes.forEach((node, index) => {
    if (node.implementation === "alias") return;
    const scratch = plan.scratchOf.get(index);
    instructions.push({
      kind: node.op as InstructionKind,
      layer: node.layer,
      inputs: node.inputs.map((id) => idOf.get(id)!),
      outputs: node.outputs.map((id) => idOf.get(id)!),
      scratch: scratch ? add(scratchSpec(node.layer, scratch)) : -1,
      attributes: node.attributes,
      implementation: node.implementation,
    });
  });
  const scratchOffset = plan.scratchOf.get(graph.nodes.length)?.offset;
  const all = update
    ? encodeUpdate(
        { ...update, graph, persistent, scratchOffset, idOf, buffers, add },
        instructions,
      )
    : instructions;
  return {
    name,
    buffers,
    instructions: all,
    scalars,
    outputs: Object.fromEntries(outputs),
    batch: graph.batch,
  };
}

const specOf = ({ name, shape, dtype, layout, bytes }: LaidOutTensor) => ({
  name,
  shape,
  dtype,
  layout,
  bytes,
});

function placeOf(
  tensor: LaidOutTensor,
  graph: LaidOutGraph,
  plan: MemoryPlan,
): Pick<BufferSpec, "region" | "offset"> {
  const storage = plan.storageOf.get(tensor.id);
  if (storage) return { region: "arena", offset: storage.offset };
  const role = graph.tensors.get(plan.aliasOf.get(tensor.id) ?? tensor.id)!.role;
  return { region: role === "labels" ? "labels" : "images", offset: 0 };
}

const scratchSpec = (layer: string, { bytes, offset }: { bytes: number; offset: number }) =>
  ({
    name: `${layer}:scratch`,
    shape: [bytes],
    dtype: "u8",
    layout: "opaque",
    bytes,
    region: "arena",
    offset,
  }) as const;

/** Bytes of one slot of images and of labels. */
export const inputBytes = (batch: number, inputShape: readonly number[], alignment: number) => ({
  imageBytes: aligned(layoutBytes(plainLayout(4), [batch, ...inputShape], "f32"), alignment),
  labelBytes: aligned(4 * batch, alignment),
});
