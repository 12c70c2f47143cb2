/**
 * @file The scalars of an optimizer that are known before a step: functions of the learning rate,
 * the update count and the hyperparameters alone. They are evaluated once a step, in doubles, and
 * are inputs of the step program, so that a schedule of any of them recompiles nothing.
 */

import { get } from "../core/at.ts";
import { checkNonNegative, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InternalError } from "../core/errors.ts";
import { type BinaryScalarOp, Scalar, type Vector } from "./expression.ts";
import type { Optimizer, UpdateExpression } from "./types.ts";

/** A scalar that is known before the step, and how `explain` prints it. */
export interface RunScalar {
  readonly scalar: Scalar;
  /** "1 - beta1 ^ t"; equal expressions have equal names. */
  readonly name: string;
}

/** Whether the scalar is a function of learning rate, count, hyperparameters and constants alone. */
export function isRunScalar({ node }: Scalar): boolean {
  switch (node.kind) {
    case "constant":
    case "hyperparameter":
    case "count":
      return true;
    case "segment":
    case "state":
    case "reduction":
      return false;
    case "unary":
      return isRunScalar(node.a);
    case "product":
      return isRunScalar(node.of);
    case "binary":
      return isRunScalar(node.a) && isRunScalar(node.b);
    default:
      return node satisfies never;
  }
}

const INFIX = { add: "+", sub: "-", mul: "*", div: "/", pow: "^" } as const;

/** The scalar in ordinary notation: also its identity, as equal expressions print alike. */
export function formatScalar({ node }: Scalar): string {
  const operand = (s: Scalar) =>
    s.node.kind === "binary" && s.node.op in INFIX ? `(${formatScalar(s)})` : formatScalar(s);
  switch (node.kind) {
    case "constant":
      return String(node.value);
    case "hyperparameter":
    case "segment":
      return node.name;
    case "count":
      return "t";
    case "product":
      return `product(${formatScalar(node.of)})`;
    case "unary":
      return `${node.op}(${formatScalar(node.a)})`;
    case "binary":
      return node.op in INFIX
        ? `${operand(node.a)} ${INFIX[node.op as keyof typeof INFIX]} ${operand(node.b)}`
        : `${node.op}(${formatScalar(node.a)}, ${formatScalar(node.b)})`;
    case "state":
    case "reduction":
      throw new InternalError(`optimizer: a ${node.kind} is not known before the step`);
    default:
      return node satisfies never;
  }
}

/** Every expression of the optimizer: the update's, that of the other tensors, the perturbation's. */
export const expressionsOf = ({
  expression,
  rest,
  perturbation,
}: Optimizer): UpdateExpression[] => [
  ...(perturbation ? [perturbation] : []),
  expression,
  ...(rest ? [rest.expression] : []),
];

const runScalarsOf = new WeakMap<Optimizer, readonly RunScalar[]>();

/** The largest known-before subexpressions of the update, each once, in order of first use. */
export function runScalars(optimizer: Optimizer): readonly RunScalar[] {
  const known = runScalarsOf.get(optimizer);
  if (known) return known;
  const found = new Map<string, RunScalar>();
  const visitScalar = (scalar: Scalar, byVector: boolean): void => {
    const { node } = scalar;
    if (isRunScalar(scalar)) {
      // A constant that scalar code alone uses is written by that code.
      if (node.kind === "constant" && !byVector) return;
      const name = formatScalar(scalar);
      if (!found.has(name)) found.set(name, { scalar, name });
    } else if (node.kind === "reduction") visitVector(node.of);
    else if (node.kind === "unary") visitScalar(node.a, false);
    else if (node.kind === "binary") {
      visitScalar(node.a, false);
      visitScalar(node.b, false);
    }
  };
  const seen = new Set<Vector>();
  const visitVector = (vector: Vector): void => {
    if (seen.has(vector)) return;
    seen.add(vector);
    const { node } = vector;
    if (node.kind === "fill") visitScalar(node.value, true);
    else if (node.kind === "unary" || node.kind === "matrix") visitVector(node.a);
    else if (node.kind === "binary") {
      visitVector(node.a);
      if (node.b instanceof Scalar) visitScalar(node.b, true);
      else visitVector(node.b);
    }
  };
  for (const expression of expressionsOf(optimizer))
    for (const value of Object.values(expression))
      if (value instanceof Scalar) visitScalar(value, false);
      else visitVector(value);
  const list = [...found.values()];
  runScalarsOf.set(optimizer, list);
  return list;
}

export interface OptimizerScalarValues {
  /** Of this update. */
  readonly learningRate: number;
  /** The update's number as the papers count, from 1: updates made so far + 1. */
  readonly t: number;
  /** Values of this update that differ from those the optimizer was created with. */
  readonly hyperparameters?: Readonly<Record<string, number>>;
}

/**
 * Values of `runScalars(optimizer)`, in its order, for one update.
 * @throws ArgumentError for a rate or hyperparameter that is negative or not finite, a count
 *   below 1, or a hyperparameter that the update does not have or that shapes the update itself
 */
export function optimizerScalars(
  optimizer: Optimizer,
  { learningRate, t, hyperparameters = {} }: OptimizerScalarValues,
): Float64Array {
  checkNonNegative(optimizer.name, "learningRate", learningRate);
  checkPositiveInteger(optimizer.name, "t", t);
  for (const [name, value] of Object.entries(hyperparameters))
    checkScheduled(optimizer, name, value);
  const values = { ...optimizer.hyperparameters, ...hyperparameters, learningRate };
  return Float64Array.from(runScalars(optimizer), ({ scalar }) => evaluate(scalar, values, t));
}

/** Throws ArgumentError unless the hyperparameter can take this value without recompiling. */
function checkScheduled(optimizer: Optimizer, name: string, value: number): void {
  const known = optimizer.hyperparameters[name];
  if (known === undefined || name === "learningRate")
    throw new ArgumentError(
      `${optimizer.name}: no hyperparameter "${name}" to schedule; ` +
        `it has ${Object.keys(optimizer.hyperparameters).join(", ")}` +
        (name === "learningRate" ? " (the rate is an argument of its own)" : ""),
    );
  checkNonNegative(optimizer.name, name, value);
  if (value !== known && !schedulable(optimizer).has(name))
    throw new ArgumentError(
      `${optimizer.name}: ${name} shapes the update and cannot change from ${known} to ${value} ` +
        "during a run; create the optimizer with the value that is wanted (for momentum: above 0)",
    );
}

const schedulableOf = new WeakMap<Optimizer, ReadonlySet<string>>();

/** Hyperparameters that the traced update reads. */
function schedulable(optimizer: Optimizer): ReadonlySet<string> {
  const known = schedulableOf.get(optimizer);
  if (known) return known;
  const names = new Set<string>();
  const visit = ({ node }: Scalar): void => {
    if (node.kind === "hyperparameter") names.add(node.name);
    else if (node.kind === "unary") visit(node.a);
    else if (node.kind === "product") visit(node.of);
    else if (node.kind === "binary") {
      visit(node.a);
      visit(node.b);
    }
  };
  for (const { scalar } of runScalars(optimizer)) visit(scalar);
  schedulableOf.set(optimizer, names);
  return names;
}

function evaluate({ node }: Scalar, values: Readonly<Record<string, number>>, t: number): number {
  switch (node.kind) {
    case "constant":
      return node.value;
    case "hyperparameter":
      return get(values, node.name, "hyperparameters");
    case "count":
      return t;
    case "unary": {
      const a = evaluate(node.a, values, t);
      return node.op === "sqrt" ? Math.sqrt(a) : Math.abs(a);
    }
    case "product": {
      // Factors are at most 1: what is this small stays so, and 1 minus it is 1.
      let product = 1;
      for (let i = 1; i <= t && product > 1e-40; i++) product *= evaluate(node.of, values, i);
      return product;
    }
    case "binary":
      return BINARY[node.op](evaluate(node.a, values, t), evaluate(node.b, values, t));
    default:
      throw new InternalError(`optimizer: a ${node.kind} scalar is not known before the step`);
  }
}

const BINARY = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  pow: (a, b) => a ** b,
  mod: (a, b) => a % b,
  positiveOr: (a, b) => (a > 0 ? a : b),
} as const satisfies Record<BinaryScalarOp, (a: number, b: number) => number>;
