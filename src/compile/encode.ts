/** @file The last pass: a laid-out graph and its memory plan become a flat program. */

import type { Optimizer } from "../optimizers/index.ts";
import {
  type BufferSpec,
  type Instruction,
  type InstructionKind,
  layoutBytes,
  type Program,
  plainLayout,
} from "../program/index.ts";
import { encodeOptimizer } from "./encode-optimizer.ts";
import { type LaidOutGraph, type LaidOutTensor, paddedElements } from "./lay-out.ts";
import { aligned } from "./offsets.ts";
import type { parameterScales } from "./parameter-groups.ts";
import { type PersistentTensors, stateName } from "./persistent.ts";
import type { MemoryPlan } from "./plan.ts";

export interface EncodeOptions {
  readonly name: string;
  readonly graph: LaidOutGraph;
  readonly plan: MemoryPlan;
  readonly persistent: PersistentTensors;
  readonly scalars: readonly string[];
  /** Only of a training program. */
  readonly optimizer?: {
    readonly optimizer: Optimizer;
    readonly clip?: number | undefined;
    /** Of trainable parameters, by name; see parameter-groups.ts. */
    readonly scales?: ReturnType<typeof parameterScales>;
  };
}

/** Bytes of a program's region "outputs". */
export const outputBytes = ({ buffers }: Program): number =>
  buffers
    .filter(({ region }) => region === "outputs")
    .reduce((end, { offset, bytes }) => Math.max(end, offset + aligned(bytes)), 0);

export function encode(options: EncodeOptions): Program {
  const { name, graph, plan, persistent, scalars, optimizer } = options;
  const buffers: BufferSpec[] = persistent.tensors.map(({ buffer }) => buffer);
  const idOf = new Map<number, number>();
  const add = (buffer: Omit<BufferSpec, "id">): number => {
    buffers.push({ id: buffers.length, ...buffer });
    return buffers.length - 1;
  };

  let outputOffset = 0;
  const outputs = Object.entries(graph.outputs).map(([output, tensor]) => {
    const spec = { ...specOf(graph.tensors.get(tensor)!), region: "outputs", offset: outputOffset };
    outputOffset += aligned(spec.bytes);
    const id = add({ ...spec, region: "outputs" });
    idOf.set(tensor, id);
    return [output, id] as const;
  });
  for (const tensor of graph.tensors.values()) {
    if (idOf.has(tensor.id)) continue;
    const kept = tensor.role === "value" ? undefined : persistent.bufferOf.get(tensor.name);
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
  if (optimizer) instructions.push(optimizerInstruction(options, idOf));
  return {
    name,
    buffers,
    instructions,
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

/** One segment a trainable parameter. The optimizer's scalars follow "seed" and "update". */
function optimizerInstruction(
  { graph, persistent, optimizer }: EncodeOptions,
  idOf: ReadonlyMap<number, number>,
): Instruction {
  const { optimizer: rule, clip, scales } = optimizer!;
  const segments = [...graph.gradients].map(([parameter, gradient]) => {
    const tensor = graph.tensors.get(parameter)!;
    const states = rule.state.map(({ name }) => stateName(tensor.name, name));
    return {
      name: tensor.name,
      parameter: idOf.get(parameter)!,
      gradient: idOf.get(gradient)!,
      state: states.map((state) => persistent.bufferOf.get(state)!.id),
      elements: paddedElements(tensor),
      isWeight: tensor.shape.length >= 2,
      ...scales?.get(tensor.name),
    };
  });
  const { program } = encodeOptimizer(rule, {
    segments,
    firstSlot: 2,
    ...(clip !== undefined && { clip }),
  });
  return {
    kind: "optimizer",
    layer: rule.name,
    inputs: [],
    outputs: [],
    scratch: -1,
    attributes: {},
    implementation: "expression",
    optimizer: program,
  };
}

/** Bytes of one slot of images and of labels. */
export const inputBytes = (batch: number, inputShape: readonly number[]) => ({
  imageBytes: aligned(layoutBytes(plainLayout(4), [batch, ...inputShape], "f32")),
  labelBytes: aligned(4 * batch),
});
