/**
 * @file What an op is: its operands' names, its shape rule, what it saves for its derivative, and
 * the derivative itself, which emits gradient ops. One file of ops/ defines one op.
 */

import { ShapeError } from "../core/errors.ts";
import type { Shape } from "../core/shapes.ts";
import type { Attributes, AttributeValue, DType, Tensor } from "./graph.ts";

/** Operand names; a trailing "?" marks one that may be absent, and such come last: "bias?". */
type RequiredName<N extends string> = Exclude<N, `${string}?`>;
type OptionalName<N extends string> = N extends `${infer Name}?` ? Name : never;

/** One value an operand, by name without the "?". */
export type Operands<N extends string, T> = { readonly [K in RequiredName<N>]: T } & {
  readonly [K in OptionalName<N>]?: T;
};

export interface InferContext<A> {
  readonly attributes: A;
  /** @throws ShapeError `conv2d "features.4": ${rule}` */
  fail(rule: string): never;
}

export interface BackwardContext<N extends string, O extends string, A> {
  /** The tensors named in `saves`. */
  readonly saved: Operands<N | O, Tensor>;
  /** Shapes of all operands: knowing one keeps nothing alive. */
  readonly shapes: Operands<N | O, Shape>;
  /** Gradients of the outputs that have one. */
  readonly gradients: Operands<O, Tensor>;
  readonly attributes: A;
  /** Whether anyone needs the gradient of an input; what is not wanted need not be emitted. */
  wants(input: OptionalName<N> | RequiredName<N>): boolean;
  /** Adds a node applying a gradient op, and returns its outputs by name. */
  emit<GN extends string, GO extends string, R extends Partial<Record<string, Shape>>>(
    op: Op<GN, GO, never>,
    inputs: Operands<GN, Tensor>,
    /** Shapes of the outputs to compute. */
    outputs: R,
    attributes?: Attributes,
  ): { readonly [K in keyof R]: Tensor };
}

export interface Op<N extends string = string, O extends string = string, A = Attributes> {
  readonly name: string;
  readonly inputs: readonly N[];
  readonly outputs: readonly O[];
  /** Element types of the outputs that are not f32. */
  readonly dtypes?: Partial<Record<string, DType>>;
  /** The output is the input's memory under another shape: no instruction is needed. */
  readonly alias?: true;
  /** Pairs [input, output]: every backend may write the output over the input. */
  readonly inPlace?: readonly (readonly [input: string, output: string])[];
  /** What is f32 where other ops have bf16: all operands, or the results; see compile/graph/precision.ts. */
  readonly fullPrecision?: "operands" | "results";
  /** Only gradient ops: emitted by a derivative, and without one of their own. */
  readonly gradient?: true;
  /**
   * Shapes of the outputs, optional ones included: those are computed where `saves` names them.
   * Gradient ops have none, as a gradient has the shape of what it is the gradient of.
   */
  infer?(inputs: Operands<N, Shape>, context: InferContext<A>): Operands<O, Shape>;
  /** Additions and multiplications; default 0, for ops bound by memory. */
  flops?(shapes: Operands<N | O, Shape>, attributes: A): number;
  /** Inputs and outputs that the derivative reads. */
  readonly saves?: readonly (RequiredName<N | O> | OptionalName<N | O>)[];
  /** Gradients of the inputs; inputs left out have none. */
  backward?(
    context: BackwardContext<N, O, A>,
  ): Partial<Record<RequiredName<N> | OptionalName<N>, Tensor | undefined>>;
}

/** An op with the types of its operands and attributes forgotten, as the passes handle it. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where operand types are erased
export type AnyOp = Op<any, any, any>;

/** Checks the definition's types; the identity otherwise. */
export const defineOp = <
  const N extends string,
  const O extends string,
  A extends Readonly<Record<string, AttributeValue>> = Record<string, never>,
>(
  op: Op<N, O, A>,
): Op<N, O, A> => op;

/** A gradient op: known by its operands' names alone. */
export const defineGradientOp = <const N extends string, const O extends string>(
  op: Omit<Op<N, O, Attributes>, "infer" | "saves" | "backward" | "gradient">,
): Op<N, O, Attributes> => ({ ...op, gradient: true });

/** An op that the fusion pass alone makes, from others that have shapes and derivatives. */
export const defineFusedOp = <const N extends string, const O extends string>(
  op: Omit<Op<N, O, Attributes>, "infer" | "saves" | "backward" | "gradient">,
): Op<N, O, Attributes> => op;

export const operandName = (declared: string) => declared.replace("?", "");

export const isOptional = (declared: string) => declared.endsWith("?");

/** Values by operand name, from a list in declared order that may be shorter. */
export function byName<T>(declared: readonly string[], values: readonly T[]): Record<string, T> {
  return Object.fromEntries(values.map((value, i) => [operandName(declared[i] ?? `#${i}`), value]));
}

/** The `fail` of an op at a layer. */
export const failAt =
  (op: string, layer: string) =>
  (rule: string): never => {
    throw new ShapeError(`${op} "${layer}": ${rule}`);
  };
