/**
 * @file The notation in which an optimizer states its update: expressions over vectors (parameter,
 * gradient, state; one element for each element of a tensor, or for each of its rows or columns)
 * and scalars (learning rate, update count, hyperparameters and what is computed from them). Nothing
 * is computed here: the nodes are plain data, which compile/encode/encode-optimizer.ts turns into a program
 * and scalars.ts evaluates.
 */

import { ArgumentError } from "../core/errors.ts";
import type { AttributeValue } from "./types.ts";

export type UnaryVectorOp = "sqrt" | "abs" | "sign" | "square" | "negate";
export type BinaryVectorOp = "add" | "sub" | "mul" | "div" | "max" | "min";
export type UnaryScalarOp = "sqrt" | "abs";
export type BinaryScalarOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "max"
  | "min"
  | "pow"
  | "mod"
  | "positiveOr";
/**
 * Over the tensor as a matrix (out, in): its orthogonalised self, or the mean of each row or column.
 * A vector of rows or columns that meets one of another shape is spread over the matrix.
 */
export type MatrixOperation = "newtonSchulz" | "rowMean" | "columnMean";

/**
 * Scalars that a segment (a parameter tensor) carries itself. The scales are 1 unless a parameter
 * group says otherwise; `isWeight` is 1 for a weight (two dimensions or more), and 0 for biases
 * and the gammas and betas of norms; `rows` and `columns` are those of the tensor as a matrix
 * (out, in), so that their product is the number of its elements.
 */
export type SegmentScalar =
  | "learningRateScale"
  | "weightDecayScale"
  | "isWeight"
  | "rows"
  | "columns";

export type VectorNode =
  /** "parameter", "gradient", or the name of a state. */
  | { readonly kind: "source"; readonly name: string }
  | { readonly kind: "fill"; readonly value: Scalar }
  | { readonly kind: "unary"; readonly op: UnaryVectorOp; readonly a: Vector }
  | {
      readonly kind: "binary";
      readonly op: BinaryVectorOp;
      readonly a: Vector;
      readonly b: Vector | Scalar;
    }
  /** Over the tensor's logical (out, in) matrix. */
  | {
      readonly kind: "matrix";
      readonly operation: MatrixOperation;
      readonly a: Vector;
      readonly attributes: Readonly<Record<string, AttributeValue>>;
    };

export type ScalarNode =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "hyperparameter"; readonly name: string }
  /** The update's number, from 1. */
  | { readonly kind: "count" }
  | { readonly kind: "segment"; readonly name: SegmentScalar }
  /** A state of one value a tensor, or one in all, as the update before left it. */
  | { readonly kind: "state"; readonly name: string }
  /** Product of `of` over the counts 1 to t; each factor is in [0, 1]. */
  | { readonly kind: "product"; readonly of: Scalar }
  | { readonly kind: "unary"; readonly op: UnaryScalarOp; readonly a: Scalar }
  | {
      readonly kind: "binary";
      readonly op: BinaryScalarOp;
      readonly a: Scalar;
      readonly b: Scalar;
    }
  | {
      readonly kind: "reduction";
      readonly op: "sum" | "max";
      readonly scope: "tensor" | "all";
      readonly of: Vector;
    };

/** Operations on the way from a result to what it is made of; and scalars that one is made of, each use counted. */
const MOST_DEEP = 1_000;
const MOST_SCALARS = 10_000;

const measures = new WeakMap<
  Scalar | Vector,
  { readonly depth: number; readonly scalars: number }
>();

/**
 * What reads an expression does so by recursion, a scalar once for each use: both have an end.
 * @throws ArgumentError for an expression that is deeper, or a scalar that is made of more
 */
function measure(expression: Scalar | Vector, node: ScalarNode | VectorNode): void {
  let [depth, scalars] = [1, 1];
  for (const part of Object.values(node)) {
    const known = part instanceof Scalar || part instanceof Vector ? measures.get(part) : undefined;
    if (!known) continue;
    depth = Math.max(depth, 1 + known.depth);
    if (expression instanceof Scalar && part instanceof Scalar) scalars += known.scalars;
  }
  if (depth > MOST_DEEP || scalars > MOST_SCALARS)
    throw new ArgumentError(
      `optimizer expression: must be at most ${MOST_DEEP} operations deep, and a scalar of at most ${MOST_SCALARS} scalars; write it with fewer`,
    );
  measures.set(expression, { depth, scalars });
}

/** A number that is the same for every element of a tensor. */
export class Scalar {
  readonly node: ScalarNode;

  constructor(node: ScalarNode) {
    this.node = node;
    measure(this, node);
  }

  add(b: Scalar | number): Scalar {
    return this.#binary("add", b);
  }

  sub(b: Scalar | number): Scalar {
    return this.#binary("sub", b);
  }

  mul(b: Scalar | number): Scalar {
    return this.#binary("mul", b);
  }

  div(b: Scalar | number): Scalar {
    return this.#binary("div", b);
  }

  max(b: Scalar | number): Scalar {
    return this.#binary("max", b);
  }

  min(b: Scalar | number): Scalar {
    return this.#binary("min", b);
  }

  /** this ** b; only of what is known before the step (learning rate, count, hyperparameters). */
  pow(b: Scalar | number): Scalar {
    return this.#binary("pow", b);
  }

  /** this modulo b; only of what is known before the step. */
  mod(b: Scalar | number): Scalar {
    return this.#binary("mod", b);
  }

  /** this > 0 ? this : b */
  positiveOr(b: Scalar | number): Scalar {
    return this.#binary("positiveOr", b);
  }

  sqrt(): Scalar {
    return new Scalar({ kind: "unary", op: "sqrt", a: this });
  }

  abs(): Scalar {
    return new Scalar({ kind: "unary", op: "abs", a: this });
  }

  /** 1 - this */
  complement(): Scalar {
    return scalar(1).sub(this);
  }

  #binary(op: BinaryScalarOp, b: Scalar | number): Scalar {
    return new Scalar({ kind: "binary", op, a: this, b: toScalar(b) });
  }
}

/** One value for each element of a tensor. */
export class Vector {
  readonly node: VectorNode;

  constructor(node: VectorNode) {
    this.node = node;
    measure(this, node);
  }

  add(b: Vector | Scalar | number): Vector {
    return this.#binary("add", b);
  }

  sub(b: Vector | Scalar | number): Vector {
    return this.#binary("sub", b);
  }

  mul(b: Vector | Scalar | number): Vector {
    return this.#binary("mul", b);
  }

  div(b: Vector | Scalar | number): Vector {
    return this.#binary("div", b);
  }

  max(b: Vector | Scalar | number): Vector {
    return this.#binary("max", b);
  }

  min(b: Vector | Scalar | number): Vector {
    return this.#binary("min", b);
  }

  sqrt(): Vector {
    return new Vector({ kind: "unary", op: "sqrt", a: this });
  }

  abs(): Vector {
    return new Vector({ kind: "unary", op: "abs", a: this });
  }

  /** -1, 0 or 1 */
  sign(): Vector {
    return new Vector({ kind: "unary", op: "sign", a: this });
  }

  square(): Vector {
    return new Vector({ kind: "unary", op: "square", a: this });
  }

  negate(): Vector {
    return new Vector({ kind: "unary", op: "negate", a: this });
  }

  /** Sum over the tensor, or over all tensors of the network; in doubles. Ends a phase. */
  sum(scope: "tensor" | "all"): Scalar {
    return new Scalar({ kind: "reduction", op: "sum", scope, of: this });
  }

  /** Largest element, or 0 if none is positive; over the tensor or over all of them. Ends a phase. */
  largest(scope: "tensor" | "all"): Scalar {
    return new Scalar({ kind: "reduction", op: "max", scope, of: this });
  }

  /** An operation on the tensor as a matrix (out, in): Muon's, Adafactor's. Ends a phase. */
  matrix(operation: MatrixOperation, attributes: Readonly<Record<string, AttributeValue>> = {}) {
    return new Vector({ kind: "matrix", operation, a: this, attributes });
  }

  #binary(op: BinaryVectorOp, b: Vector | Scalar | number): Vector {
    return new Vector({ kind: "binary", op, a: this, b: typeof b === "number" ? scalar(b) : b });
  }
}

/** A constant. @throws ArgumentError unless finite. */
export function scalar(value: number): Scalar {
  if (!Number.isFinite(value))
    throw new ArgumentError(`optimizer expression: a constant must be finite; got ${value}`);
  return new Scalar({ kind: "constant", value });
}

const toScalar = (value: Scalar | number) => (typeof value === "number" ? scalar(value) : value);

/** A tensor whose elements are all `value`. */
export const fill = (value: Scalar | number) =>
  new Vector({ kind: "fill", value: toScalar(value) });

/** 1 if the scalar is above 0, else 0. */
export const isPositive = (s: Scalar) => s.max(0).div(s.positiveOr(1));

/**
 * Product of `of` over the updates from 1 to t, for factors in [0, 1] that are known before the
 * step. It is computed anew at each step, from what the hyperparameters are then: no state.
 */
export const productOverUpdates = (of: Scalar) => new Scalar({ kind: "product", of });

/** 1 - beta^t, which divides an exponential mean that began at zero (Adam, section 3). */
export const biasCorrection = (beta: Scalar, t: Scalar) => beta.pow(t).complement();
