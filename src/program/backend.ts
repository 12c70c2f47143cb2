/** @file The Backend interface: what the native and the reference runtime both are. */

import type { Initializer } from "../core/initializer.ts";
import type { Shape } from "../core/shapes.ts";
import type { InstructionKind } from "./kernels.ts";
import type { AttributeValue, BufferSpec, DType, Layout, Program } from "./types.ts";

export type { Initializer };

/** An operand as the layout pass knows it so far; "any" leaves the choice to the backend. */
export interface LayoutOperand {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly layout: Layout | "any";
}

export interface LayoutRequest {
  readonly kind: InstructionKind;
  readonly layer: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly inputs: readonly LayoutOperand[];
  readonly outputs: readonly LayoutOperand[];
  /**
   * The implementation that it must be, one of `Backend.implementations`; default: the backend's own rule.
   * A backend without a choice looks past it; one with a choice refuses what it does not have.
   */
  readonly wanted?: string | undefined;
}

/**
 * What the backend wants. Where a layout differs from a fixed one of the request, the compiler
 * inserts a reorder (before the instruction for an input, after it for an output).
 */
export interface LayoutAnswer {
  readonly inputs: readonly Layout[];
  readonly outputs: readonly Layout[];
  /** Bytes of each output; for "opaque" workspaces nothing else says it. */
  readonly outputBytes: readonly number[];
  readonly scratchBytes: number;
  readonly implementation: string;
}

export interface SessionOptions {
  readonly persistentBytes: number;
  readonly arenaBytes: number;
  readonly outputBytes: number;
  /** Bytes of one slot. */
  readonly imageBytes: number;
  readonly labelBytes: number;
  readonly slots: 1 | 2;
  readonly threads: number;
}

export interface RunOptions {
  /** Which of the input slots. */
  readonly slot: number;
  /** Values of Program.scalars. */
  readonly scalars: Float64Array;
}

export interface TimeOptions extends RunOptions {
  /** Index into Program.instructions. */
  readonly instruction: number;
  readonly repetitions: number;
}

/** A program whose primitives are prepared. */
export interface LoadedProgram {
  readonly program: Program;
  /**
   * One step: off the JavaScript thread, in memory that is there already. Resolves with the outputs by name.
   * Runs of one process are executed one after the other, in the order of the calls.
   */
  run(options: RunOptions): Promise<Record<string, Float64Array>>;
  /** Milliseconds of each instruction, for one run of its own; see `Capabilities.profile`. */
  profile(options: RunOptions): Promise<Float64Array>;
  /**
   * Milliseconds of each repetition of one instruction, over whatever its operands hold. For the
   * tuner and bench/. Absent where the backend has no clock worth reading; see `Capabilities.timing`.
   */
  time?(options: TimeOptions): Promise<Float64Array>;
}

/**
 * The memory of one network, and the programs that share it. What is asked for is done in the order of the
 * calls. Promises reject while a run is in flight: await it first.
 */
export interface Session {
  load(program: Program): Promise<LoadedProgram>;
  /**
   * The slot's images, (B,C,H,W) f32 in plain order, for the data loader to fill. It is memory of the host,
   * the same at every call: where the device has its own, the session copies the slot when a run that names
   * it begins, and it may be filled again when that run has resolved.
   */
  images(slot: number): Float32Array;
  /** The slot's labels, (B) i32; -1 marks a row to leave out. Memory as that of the images. */
  labels(slot: number): Int32Array;
  /** Fill a persistent buffer in logical order; ordinal keys the stream (core/random.ts). */
  initialize(
    buffer: BufferSpec,
    initializer: Initializer,
    seed: number,
    ordinal: number,
  ): Promise<void>;
  /** Copy out in logical order. */
  read(buffer: BufferSpec): Promise<Float32Array>;
  /** The same from element `from` on, as many as `into` has room for, which must be there. */
  readPart(buffer: BufferSpec, from: number, into: Float32Array): Promise<void>;
  /** Copy in, from logical order; `values` are the caller's own again when the call returns. */
  write(buffer: BufferSpec, values: Float32Array | Float64Array): Promise<void>;
  /** Frees the memory; idempotent. Waits for a run in flight. */
  dispose(): void;
}

/** What not every backend can do. */
export interface Capabilities {
  /** It computes with tensors of bf16. */
  readonly bf16: boolean;
  /** The times of `LoadedProgram.profile` are those that instructions take in a run. */
  readonly profile: boolean;
  /** Its programs have `LoadedProgram.time`. */
  readonly timing: boolean;
  /** It has conv2dNormPoolTrain and its derivative, for any multiple of 16 outputs and up to 63 weights each. */
  readonly firstBlock: boolean;
}

/** An engine, ready to be asked; engine/registry.ts opens one by its kind. */
export interface Backend {
  /** Its name in the registry: "native", "reference-f64". For messages; what it can do is in `capabilities`. */
  readonly kind: string;
  /** E.g. "oneDNN 2.6.3, avx2, 2 threads"; goes into plan.json. */
  readonly description: string;
  /** Threads that it plans for, and that its sessions have unless told otherwise; 1 where it has no threads. */
  readonly threads: number;
  readonly capabilities: Capabilities;
  /** Bytes of which a buffer's offset in its region must be a multiple; itself a multiple of 64. */
  readonly alignment: number;
  chooseLayouts(request: LayoutRequest): LayoutAnswer;
  /**
   * Ways to compute what is asked for that `LayoutRequest.wanted` can name, best known first; none where
   * there is no choice.
   */
  implementations(request: LayoutRequest): readonly string[];
  openSession(options: SessionOptions): Promise<Session>;
}
