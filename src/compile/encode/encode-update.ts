/**
 * @file The end of a training program: the optimizer's instruction, or, where it takes two gradients,
 * a perturbation, the step once more, and then the optimizer's.
 */

import { elementCount } from "../../core/shapes.ts";
import type { Optimizer } from "../../optimizers/index.ts";
import {
  type BufferSpec,
  type Domain,
  type Instruction,
  plainLayout,
} from "../../program/index.ts";
import { type LaidOutGraph, paddedElements } from "../memory/lay-out.ts";
import { aligned } from "../memory/offsets.ts";
import { type PersistentTensors, segmentKinds, stateName, statesOf } from "../memory/persistent.ts";
import { encodeOptimizer, scratchDomains } from "./encode-optimizer.ts";
import type { parameterScales } from "./parameter-groups.ts";

/** The update of a training program. */
export interface UpdateOptions {
  readonly optimizer: Optimizer;
  readonly clip?: number | undefined;
  /** Of trainable parameters, by name; see parameter-groups.ts. */
  readonly scales?: ReturnType<typeof parameterScales>;
  /** Updates before parameters that began later than others, see `firstUpdates`; ascending from 0. */
  readonly begins?: readonly number[];
  readonly firstUpdates?: ReadonlyMap<string, number> | undefined;
}

/** Arena bytes that the update needs besides the gradients: scratch tensors, then a workspace. */
export function updateBytes(graph: LaidOutGraph, { optimizer }: UpdateOptions): number {
  const kinds = [...segmentKinds(graph)];
  const domains = scratchDomains(
    optimizer,
    kinds.map(([, kind]) => kind),
  );
  const tensors = kinds.flatMap(([id], i) =>
    domains[i]!.map((domain) => aligned(scratchTensor(graph, id, domain).bytes, graph.alignment)),
  );
  return tensors.reduce((sum, bytes) => sum + bytes, 0) + workspaceBytes(graph, optimizer);
}

/**
 * Memory of the matrix operations, for the largest matrix at a time: two of its size, and two
 * squares of its smaller side.
 */
function workspaceBytes(graph: LaidOutGraph, optimizer: Optimizer): number {
  const kinds = [...segmentKinds(graph).values()];
  const domains = scratchDomains(optimizer, kinds);
  const whole = (bytes: number) => aligned(bytes, graph.alignment);
  const needed = kinds.map(({ rows, columns }, i) =>
    domains[i]!.length > 0
      ? 2 * whole(4 * rows * columns) + 2 * whole(4 * Math.min(rows, columns) ** 2)
      : 0,
  );
  return Math.max(0, ...needed);
}

function scratchTensor(graph: LaidOutGraph, id: number, domain: Domain) {
  const { shape, layout, bytes } = graph.tensors.get(id)!;
  if (domain === "parameter") return { shape, layout, bytes };
  const extent = domain === "row" ? shape[0]! : elementCount(shape) / shape[0]!;
  return { shape: [extent], layout: plainLayout(1), bytes: 4 * extent };
}

export interface EncodeUpdateOptions extends UpdateOptions {
  readonly graph: LaidOutGraph;
  readonly persistent: PersistentTensors;
  /** Where the update's scratch begins in the arena; undefined where it needs none. */
  readonly scratchOffset: number | undefined;
  /** Buffer of each of the graph's tensors. */
  readonly idOf: ReadonlyMap<number, number>;
  /** The program's; `add` makes a new one of it. */
  readonly buffers: readonly BufferSpec[];
  add(buffer: Omit<BufferSpec, "id">): number;
}

/** The program's instructions: those of forward and backward, and what follows from the optimizer. */
export function encodeUpdate(options: EncodeUpdateOptions, step: readonly Instruction[]) {
  if (options.optimizer.gradientEvaluations === 1) return [...step, optimizerInstruction(options)];
  return [
    ...step,
    optimizerInstruction(options, "perturbation"),
    ...secondStep(options, step),
    optimizerInstruction(options),
  ];
}

/**
 * The step at the perturbed weights, in the same memory. Dropout draws by the update's number, so its
 * masks are the same. Running statistics and what is reported stay those of the first step.
 */
function secondStep({ graph, buffers, add }: EncodeUpdateOptions, step: readonly Instruction[]) {
  const copies = new Map<number, number>();
  const unreported = (id: number): number => {
    const { id: _, ...buffer } = buffers[id]!;
    if (buffer.region !== "outputs") return id;
    const ends = buffers.filter(({ region }) => region === "outputs");
    const offset = Math.max(...ends.map((end) => end.offset + aligned(end.bytes, graph.alignment)));
    const copy = copies.get(id) ?? add({ ...buffer, name: `${buffer.name}:perturbed`, offset });
    copies.set(id, copy);
    return copy;
  };
  return step.map(
    (instruction): Instruction => ({
      ...instruction,
      inputs: instruction.inputs.map((id) => copies.get(id) ?? id),
      outputs: instruction.outputs.map(unreported),
      ...("momentum" in instruction.attributes && {
        attributes: { ...instruction.attributes, momentum: 0 },
      }),
    }),
  );
}

/** One segment a trainable parameter. The optimizer's scalars follow "seed" and "update". */
function optimizerInstruction(
  options: EncodeUpdateOptions,
  part: "update" | "perturbation" = "update",
): Instruction {
  const { graph, persistent, optimizer, clip, scales, idOf, add, scratchOffset = 0 } = options;
  const { begins = [0], firstUpdates } = options;
  const kinds = segmentKinds(graph);
  const segments = [...graph.gradients].map(([parameter, gradient]) => {
    const tensor = graph.tensors.get(parameter)!;
    const kind = kinds.get(parameter)!;
    const states = statesOf(optimizer, kind);
    return {
      name: tensor.name,
      parameter: idOf.get(parameter)!,
      gradient: idOf.get(gradient)!,
      state: optimizer.state.map((state) =>
        states.includes(state)
          ? (persistent.bufferOf.get(stateName(tensor.name, state))?.id ?? -1)
          : -1,
      ),
      elements: paddedElements(tensor),
      ...kind,
      ...scales?.get(tensor.name),
      list: begins.indexOf(firstUpdates?.get(tensor.name) ?? 0),
    };
  });
  const parameters = [...graph.gradients.keys()];
  let offset = scratchOffset;
  const place = (name: string, like: Pick<BufferSpec, "shape" | "dtype" | "layout" | "bytes">) => {
    const id = add({ ...like, name, region: "arena", offset });
    offset += aligned(like.bytes, graph.alignment);
    return id;
  };
  const { program } = encodeOptimizer(optimizer, {
    segments,
    firstSlot: 2,
    lists: begins.length,
    part,
    ...(clip !== undefined && { clip }),
    scratch(segment, domain) {
      const like = { ...scratchTensor(graph, parameters[segment]!, domain), dtype: "f32" } as const;
      return place(`${segments[segment]!.name}:update ${domain}`, like);
    },
  });
  const bytes = part === "update" ? workspaceBytes(graph, optimizer) : 0;
  return {
    kind: "optimizer",
    layer: part === "update" ? optimizer.name : `${optimizer.name}: perturbation`,
    inputs: [],
    outputs: [],
    scratch:
      bytes > 0
        ? place(`${optimizer.name}:workspace`, {
            shape: [bytes],
            dtype: "u8",
            layout: "opaque",
            bytes,
          })
        : -1,
    attributes: {},
    implementation: "expression",
    optimizer: program,
  };
}
