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

/**
 * Ways to compute a convolution, in one of its passes. Not every machine and shape has each:
 * - direct: oneDNN's direct kernels, activations in the blocked layout
 * - winograd: F(4x4,3x3), for 3x3 and stride 1; our own, on AVX2 or AVX-512
 * - product: a 1x1 convolution as a matrix product
 * - channels-last: oneDNN's direct kernels, activations with channels innermost
 */
export const CONVOLUTION_IMPLEMENTATIONS = [
  "direct",
  "winograd",
  "product",
  "channels-last",
] as const;
export type ConvolutionImplementation = (typeof CONVOLUTION_IMPLEMENTATIONS)[number];

export interface LayoutRequest {
  readonly kind: InstructionKind;
  readonly layer: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly inputs: readonly LayoutOperand[];
  readonly outputs: readonly LayoutOperand[];
  /**
   * The implementation that it must be; default: the backend's own rule. The native backend refuses
   * one that it does not have for the request; the reference backend has one for all.
   */
  readonly wanted?: ConvolutionImplementation | undefined;
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
  /** Milliseconds of each instruction, for one run of its own. For `explain` and bench/. */
  profile(options: RunOptions): Promise<Float64Array>;
  /**
   * Milliseconds of each repetition of one instruction, over whatever its operands hold. For the
   * tuner and bench/. Absent where the backend has no clock worth reading (the reference).
   */
  time?(options: TimeOptions): Promise<Float64Array>;
}

/** The memory of one network, and the programs that share it. */
export interface Session {
  load(program: Program): LoadedProgram;
  /** The slot's images, (B,C,H,W) f32 in plain order, for the data loader to fill. */
  images(slot: number): Float32Array;
  /** The slot's labels, (B) i32; -1 marks a row to leave out. */
  labels(slot: number): Int32Array;
  /** Fill a persistent buffer in logical order; ordinal keys the stream (core/random.ts). */
  initialize(buffer: BufferSpec, initializer: Initializer, seed: number, ordinal: number): void;
  /** Copy out in logical order. @throws AddonError while a run is in flight */
  read(buffer: BufferSpec): Float32Array;
  /** Copy in, from logical order. @throws AddonError while a run is in flight */
  write(buffer: BufferSpec, values: Float32Array | Float64Array): void;
  /** Frees the memory; idempotent. Waits for a run in flight. */
  dispose(): void;
}

export interface Backend {
  readonly name: "native" | "reference-f32" | "reference-f64";
  /** E.g. "oneDNN 2.6.3, avx2, 2 threads"; goes into plan.json. */
  readonly description: string;
  /** Threads that it plans for, and that its sessions have unless told otherwise; 1 where it has no threads. */
  readonly threads: number;
  /** Whether it computes with tensors of bf16. */
  readonly bf16: boolean;
  chooseLayouts(request: LayoutRequest): LayoutAnswer;
  createSession(options: SessionOptions): Session;
}
