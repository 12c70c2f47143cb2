/**
 * @file The reference backend: every instruction of a step program in slow, readable TypeScript.
 * It is the oracle of the native backend (f32), and of derivatives and whole training steps (f64).
 * What an instruction leaves in a bf16 buffer is rounded when all of it is there.
 */

import { roundToBfloat16 } from "../../core/bfloat16.ts";
import { ArgumentError, InternalError } from "../../core/errors.ts";
import { elementCount } from "../../core/shapes.ts";
import type {
  Backend,
  BufferSpec,
  Instruction,
  InstructionKind,
  LoadedProgram,
  Program,
  RunOptions,
  Session,
  SessionOptions,
} from "../../program/index.ts";
import { plainLayout } from "../../program/index.ts";
import {
  batchNormBackward,
  batchNormEvaluate,
  batchNormEvaluateBackward,
  batchNormTrain,
} from "./batch-norm.ts";
import {
  batchNormAddBackward,
  batchNormAddEvaluate,
  batchNormAddTrain,
  batchNormPoolBackward,
  batchNormPoolTrain,
  conv2dNormPoolBackward,
  conv2dNormPoolTrain,
} from "./batch-norm-fused.ts";
import { conv2d, conv2dBackwardData, conv2dBackwardWeights } from "./convolution.ts";
import { dropout } from "./dropout.ts";
import { add, relu, relu6, relu6Backward, reluBackward, reorder } from "./elementwise.ts";
import { fillInitial } from "./initialize.ts";
import type { Kernel } from "./kernel.ts";
import { chooseLayouts } from "./layouts.ts";
import { linear, linearBackwardData, linearBackwardWeights } from "./linear.ts";
import { softmax, softmaxCrossEntropy } from "./loss.ts";
import { createMemory, type Memory, type Precision } from "./memory.ts";
import { runOptimizer, sourcesOf } from "./optimizer.ts";
import {
  adaptiveAveragePool2d,
  adaptiveAveragePool2dBackward,
  globalAveragePool,
  globalAveragePoolBackward,
  maxPool2d,
  maxPool2dBackward,
} from "./pooling.ts";

/** Total over the kinds, so that the type checker finds a missing one; the optimizer is apart. */
const KERNELS: Record<Exclude<InstructionKind, "optimizer">, Kernel> = {
  conv2d,
  conv2dBackwardData,
  conv2dBackwardWeights,
  batchNormTrain,
  batchNormEvaluate,
  batchNormEvaluateBackward,
  batchNormBackward,
  batchNormPoolTrain,
  batchNormPoolBackward,
  conv2dNormPoolTrain,
  conv2dNormPoolBackward,
  batchNormAddTrain,
  batchNormAddEvaluate,
  batchNormAddBackward,
  relu,
  reluBackward,
  relu6,
  relu6Backward,
  maxPool2d,
  maxPool2dBackward,
  dropout,
  dropoutBackward: dropout,
  linear,
  linearBackwardData,
  linearBackwardWeights,
  softmaxCrossEntropy,
  softmax,
  add,
  globalAveragePool,
  globalAveragePoolBackward,
  adaptiveAveragePool2d,
  adaptiveAveragePool2dBackward,
  reorder,
};

/** A session that can also be read in full precision, from any region. */
export interface ReferenceSession extends Session {
  /** Copy out in logical order, in doubles: what the "f64" backend really holds. */
  readDouble(buffer: BufferSpec): Float64Array;
}

export interface ReferenceBackend extends Backend {
  openSession(options: SessionOptions): Promise<ReferenceSession>;
}

export interface ReferenceBackendOptions {
  /** "f64" widens every "f32" of a program to a double. Default "f32". */
  readonly precision?: Precision;
  /** Bytes of which offsets must be multiples, 64 or a multiple of it: another engine's, to try it. Default 64. */
  readonly alignment?: number;
}

/**
 * The backend that runs a program instruction by instruction in TypeScript, in plain layouts.
 * A run is done when `run` returns its promise: nothing is ever in flight.
 */
export function referenceBackend({
  precision = "f32",
  alignment = 64,
}: ReferenceBackendOptions = {}): ReferenceBackend {
  if (precision !== "f32" && precision !== "f64")
    throw new ArgumentError(
      `referenceBackend: precision must be "f32" or "f64"; got "${String(precision)}"`,
    );
  if (!(Number.isSafeInteger(alignment) && alignment > 0 && alignment % 64 === 0))
    throw new ArgumentError(
      `referenceBackend: alignment must be a multiple of 64 bytes; got ${alignment}`,
    );
  return {
    kind: `reference-${precision}`,
    description: `reference backend, ${precision}, 1 thread`,
    threads: 1,
    capabilities: { bf16: true, profile: false, timing: false, firstBlock: true },
    alignment,
    chooseLayouts,
    implementations: () => [],
    openSession: async (options) => createSession(options, { precision, alignment }),
  };
}

interface Settings {
  readonly precision: Precision;
  readonly alignment: number;
}

function createSession(options: SessionOptions, settings: Settings): ReferenceSession {
  const { precision } = settings;
  let memory: Memory | undefined = createMemory(options, precision);
  const live = (): Memory => {
    if (!memory) throw new InternalError("reference session: used after dispose()");
    return memory;
  };
  const values = (buffer: BufferSpec) => live().view(buffer, 0).data;

  return {
    load: async (program) => loadProgram(program, live, settings),
    images: (slot) => live().images[slot]!,
    labels: (slot) => live().labels[slot]!,
    initialize: async (buffer, initializer, seed, ordinal) =>
      fillInitial(values(buffer), initializer, seed, ordinal),
    read: async (buffer) => Float32Array.from(values(buffer)),
    async readPart(buffer, from, into) {
      const count = elementCount(buffer.shape);
      if (from < 0 || from + into.length > count)
        throw new InternalError(
          `read "${buffer.name}": has ${count} values; got a part from ${from} to ${from + into.length}`,
        );
      into.set(values(buffer).subarray(from, from + into.length));
    },
    readDouble: (buffer) => Float64Array.from(values(buffer)),
    async write(buffer, from) {
      const count = elementCount(buffer.shape);
      if (from.length !== count)
        throw new InternalError(
          `write "${buffer.name}": expects ${count} values; got ${from.length}`,
        );
      values(buffer).set(from);
      if (buffer.dtype === "bf16") roundToBfloat16(values(buffer));
    },
    dispose() {
      memory = undefined;
    },
  };
}

function loadProgram(
  program: Program,
  memory: () => Memory,
  { precision, alignment }: Settings,
): LoadedProgram {
  const buffers = new Map(program.buffers.map((buffer) => [buffer.id, buffer]));
  const buffer = (id: number): BufferSpec => {
    const found = buffers.get(id);
    if (!found) throw new InternalError(`program "${program.name}": no buffer ${id}`);
    return found;
  };
  checkOffsets(program, alignment);
  checkProgram(program, buffer);

  const execute = (instruction: Instruction, { slot, scalars }: RunOptions) => {
    const view = (id: number) => memory().view(buffer(id), slot);
    if (instruction.kind === "optimizer") {
      runOptimizer(
        instruction.optimizer!,
        scalars,
        (segment) => sourcesOf(segment).map((id) => (id < 0 ? undefined : view(id).data)),
        precision,
      );
      return;
    }
    KERNELS[instruction.kind]({
      instruction,
      inputs: instruction.inputs.map(view),
      outputs: instruction.outputs.map(view),
      seed: scalars[0]!,
      update: scalars[1]!,
    });
    for (const id of instruction.outputs)
      if (buffer(id).dtype === "bf16") roundToBfloat16(view(id).data);
  };

  const begin = ({ slot, scalars }: RunOptions) => {
    if (scalars.length !== program.scalars.length)
      throw new InternalError(
        `program "${program.name}": expects ${program.scalars.length} scalars; got ${scalars.length}`,
      );
    memory().admit(slot);
  };

  return {
    program,
    async run(options) {
      begin(options);
      for (const instruction of program.instructions) execute(instruction, options);
      return Object.fromEntries(
        Object.entries(program.outputs).map(([name, id]) => [
          name,
          Float64Array.from(memory().view(buffer(id), options.slot).data),
        ]),
      );
    },
    async profile(options) {
      begin(options);
      return Float64Array.from(program.instructions, (instruction) => {
        const start = performance.now();
        execute(instruction, options);
        return performance.now() - start;
      });
    },
  };
}

/** The reference engine needs no alignment itself: it holds programs to the one that they were planned for. */
function checkOffsets({ buffers }: Program, alignment: number): void {
  for (const { name, offset } of buffers)
    if (offset % alignment !== 0)
      throw new InternalError(
        `buffer "${name}" begins at byte ${offset}, which is no multiple of ${alignment}`,
      );
}

/** Refuses at load what would fail, or be silently wrong, in a run. */
function checkProgram(program: Program, buffer: (id: number) => BufferSpec): void {
  for (const { kind, layer, inputs, outputs, optimizer } of program.instructions) {
    for (const id of [...inputs, ...outputs]) {
      const { name, layout, shape } = buffer(id);
      if (layout !== "opaque" && layout !== plainLayout(shape.length))
        throw new InternalError(
          `${kind} "${layer}": the reference backend has plain layouts only; ` +
            `buffer "${name}" is "${layout}"`,
        );
    }
    if (kind !== "optimizer") continue;
    if (!optimizer) throw new InternalError(`optimizer "${layer}": instruction has no program`);
    for (const segment of optimizer.segments)
      for (const id of [segment.parameter, segment.gradient])
        if (elementCount(buffer(id).shape) !== segment.elements)
          throw new InternalError(
            `optimizer "${layer}": segment "${segment.name}" has ${segment.elements} elements, ` +
              `buffer "${buffer(id).name}" ${elementCount(buffer(id).shape)}`,
          );
  }
}
