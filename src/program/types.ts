/**
 * @file The step program: the seam between everything that reasons (compile/) and everything that
 * computes (engine/, native/). It is plain data: it can be printed, compared and stored as JSON.
 *
 * A program is a flat list of instructions over numbered buffers. Buffers lie at fixed offsets in
 * a few regions; running a program allocates no memory for them.
 */

import type { Shape } from "../core/shapes.ts";
import type { InstructionKind } from "./kernels.ts";

/**
 * Element types; "bf16" is float32 without its last 16 bits. The float64 reference backend widens "f32"
 * to double throughout, and rounds what is "bf16" as the others do.
 */
export type DType = "f32" | "bf16" | "i32" | "u8";

/**
 * Order of a tensor's elements in memory, in oneDNN's letters: a, b, c, d are the logical
 * dimensions, outermost first; a capital marks a dimension that is blocked, by the sizes that
 * follow. "abcd" is nchw, "acdb" nhwc, "aBcd8b" nChw8c, "ABcd8b8a" OIhw8i8o.
 * "opaque" is a workspace whose bytes mean something to the backend alone.
 */
export type Layout = string;

/**
 * Where a buffer lies.
 * - persistent: parameters, running statistics, optimizer state; shared by a session's programs
 * - arena: everything whose life ends within a step; shared too, as programs never run at once
 * - images, labels: a batch; two slots of them, the run says which
 * - outputs: what a run resolves with
 */
export type Region = "persistent" | "arena" | "images" | "labels" | "outputs";

export interface BufferSpec {
  readonly id: number;
  /** "features.0.weight", "features.0:gradient", "features.4:activation" ... */
  readonly name: string;
  /** Logical shape. */
  readonly shape: Shape;
  readonly dtype: DType;
  readonly layout: Layout;
  /** Bytes, with the layout's padding; padding holds zeros. */
  readonly bytes: number;
  readonly region: Region;
  /** Bytes from the start of the region; a multiple of the alignment of the backend that it was planned for. */
  readonly offset: number;
}

export type AttributeValue = number | boolean | string | readonly number[];

export interface Instruction {
  readonly kind: InstructionKind;
  /** The layer that it came from, for messages and `explain`. */
  readonly layer: string;
  /** Buffer ids, in the order that KERNELS of kernels.ts gives for the kind. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Buffer id of the scratchpad, or -1. */
  readonly scratch: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** What the backend said it would use, e.g. "jit:avx2"; for `explain`. */
  readonly implementation: string;
  /** Only on kind "optimizer". */
  readonly optimizer?: OptimizerProgram;
}

export interface Program {
  readonly name: string;
  readonly buffers: readonly BufferSpec[];
  readonly instructions: readonly Instruction[];
  /** Names of the scalars that a run is given, in order; always begins "seed", "update". */
  readonly scalars: readonly string[];
  /** Buffers of region "outputs" by name: "loss", "correct", "probabilities". */
  readonly outputs: Readonly<Record<string, number>>;
  /** Examples a run. */
  readonly batch: number;
}

// ---------------------------------------------------------------------------------------------
// The optimizer's part of a step: docs/adding-an-optimizer.md says what it is compiled from.

/**
 * A scalar slot. Slots are doubles, rounded to f32 where a vector instruction uses one. The first
 * `Program.scalars.length` slots are the run's scalars; then a segment's own (`segmentSlots`);
 * then what scalar instructions and reductions write.
 */
export type Slot = number;

/** Elementwise operations over a block of the segment. Registers hold one block each. */
export type VectorOp =
  | "load" // dst <- source (0 parameter, 1 gradient, 2 + k state k, then scratch)
  | "store" // target <- a
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "max"
  | "min"
  | "sqrt"
  | "abs"
  | "sign"
  | "square"
  | "negate"
  /** dst <- a > 0 ? b : c is left out on purpose: rules so far need max, min and sign alone */
  | "fill"; // dst <- scalar a

export type Operand = { readonly register: number } | { readonly slot: Slot };

export interface VectorInstruction {
  readonly op: VectorOp;
  /** Register written; for "store" the source index that is written. */
  readonly target: number;
  /** For "load": { register: source index }. */
  readonly a: Operand;
  readonly b?: Operand;
}

/** Double arithmetic on slots, after the reductions of a phase. */
export interface ScalarInstruction {
  readonly op:
    | "add"
    | "sub"
    | "mul"
    | "div"
    | "max"
    | "min"
    | "sqrt"
    | "abs"
    | "constant"
    | "positiveOr";
  readonly target: Slot;
  readonly a: Slot;
  /** Ignored by one-operand operations; "constant" puts `value` into target; "positiveOr": a > 0 ? a : b. */
  readonly b: Slot;
  readonly value?: number;
}

/** Sum or maximum of a register over a tensor or over all of them, in doubles, in a fixed order. */
export interface Reduction {
  readonly op: "sum" | "max";
  readonly register: number;
  /** "tensor": the slot is the segment's own in later phases. "all": one value for every segment. */
  readonly scope: "tensor" | "all";
  readonly target: Slot;
}

/** What a phase's vectors have a value for: each element of a tensor, or each row or column. */
export type Domain = "parameter" | "row" | "column";

export interface ElementwisePhase {
  readonly kind: "elementwise";
  /** Sources that it loads and stores have this shape. Default "parameter". */
  readonly domain?: Domain;
  /** Indices of the segments that it is for. Default all; others keep their slots. */
  readonly segments?: readonly number[];
  readonly code: readonly VectorInstruction[];
  readonly reductions: readonly Reduction[];
  /** Run once a segment (scope "tensor") after all segments' reductions are known. */
  readonly scalarCode: readonly ScalarInstruction[];
}

/**
 * - newtonSchulz: parameter-shaped to parameter-shaped. X / (|X| + epsilon), then `steps` times
 *   X = a X + (b A + c A A) X with A = X X^T, of the transpose where there are more rows than columns
 * - rowMean, columnMean: parameter-shaped to a value a row or column
 * - spreadRows, spreadColumns: a value a row or column to parameter-shaped, equal along the row or column
 */
export type MatrixOperation =
  | "newtonSchulz"
  | "rowMean"
  | "columnMean"
  | "spreadRows"
  | "spreadColumns";

/** A step over the logical (out, in) matrix of each segment: Muon's and Adafactor's. */
export interface MatrixPhase {
  readonly kind: "matrix";
  readonly operation: MatrixOperation;
  /** Source indices. */
  readonly source: number;
  readonly target: number;
  /** newtonSchulz: coefficients [a, b, c], steps, epsilon. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly segments?: readonly number[];
}

export type OptimizerPhase = ElementwisePhase | MatrixPhase;

export interface OptimizerSegment {
  /** "features.0.weight" */
  readonly name: string;
  /** Buffer ids. Parameter, gradient and "parameter"-shaped state have one layout and size. */
  readonly parameter: number;
  readonly gradient: number;
  /** -1 for a state that this segment's rule does not have. */
  readonly state: readonly number[];
  /** What is kept between the phases of one step alone; sources after the states. -1: none. */
  readonly scratch?: readonly number[];
  /** Elements, padding included. */
  readonly elements: number;
  /** Of the logical matrix (out, in); needed where there are matrix phases or rows or columns. */
  readonly rows?: number;
  readonly columns?: number;
  /** Values of `segmentSlots`, e.g. learning-rate scale, weight decay on (1) or off (0). */
  readonly scalars: readonly number[];
  /** Slot of the run's scalars that it has in place of `OptimizerProgram.runSlots`; default: those. */
  readonly ownSlots?: Slot;
}

/** A state of one value: read into a slot before the first phase, written from one after the last. */
export interface ScalarState {
  readonly source: number;
  readonly load: Slot;
  /** -1: it never changes. */
  readonly store: Slot;
  readonly segments?: readonly number[];
}

export interface OptimizerProgram {
  readonly name: string;
  readonly registers: number;
  /** Slots in all. */
  readonly slots: number;
  readonly segmentSlots: readonly Slot[];
  /** The scalars of the run that the rules read; needed where segments have their own. */
  readonly runSlots?: { readonly first: Slot; readonly count: number };
  /** Default none. */
  readonly scalarStates?: readonly ScalarState[];
  readonly phases: readonly OptimizerPhase[];
  readonly segments: readonly OptimizerSegment[];
}
