/** @file Clipping by value, in front of any optimizer. */

import { checkPositive } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { Scalar, scalar, Vector } from "./expression.ts";
import type { Optimizer } from "./types.ts";

/**
 * The optimizer with each element of the gradient first brought into [-limit, limit], as
 * torch.nn.utils.clip_grad_value_ does. The limit becomes the hyperparameter `clipValue`, which may
 * follow a schedule like any other. Where the gradient's norm is clipped too, that comes first.
 * @throws ArgumentError unless the limit is a positive number, or if it is clipped by value already
 */
export function clipByValue(optimizer: Optimizer, limit: number): Optimizer {
  checkPositive(optimizer.name, "clipValue", limit);
  if ("clipValue" in optimizer.hyperparameters)
    throw new ArgumentError(
      `${optimizer.name}: its gradient is clipped by value already, to ` +
        `${optimizer.hyperparameters.clipValue}; clip it once`,
    );
  const bound = new Scalar({ kind: "hyperparameter", name: "clipValue" });
  const gradient = new Vector({ kind: "source", name: "gradient" });
  const clipped = gradient.max(scalar(0).sub(bound)).min(bound);
  return {
    ...optimizer,
    hyperparameters: Object.freeze({ ...optimizer.hyperparameters, clipValue: limit }),
    expression: withGradient(optimizer.expression, clipped),
  };
}

/** The expressions with another vector where the gradient stood; shared parts stay shared. */
function withGradient(
  expression: Readonly<Record<string, Vector>>,
  replacement: Vector,
): Readonly<Record<string, Vector>> {
  const vectors = new Map<Vector, Vector>();
  const scalars = new Map<Scalar, Scalar>();
  const once = <T>(known: Map<T, T>, of: T, make: () => T): T => {
    const made = known.get(of) ?? make();
    known.set(of, made);
    return made;
  };
  const vector = (of: Vector): Vector => once(vectors, of, () => rewriteVector(of));
  const value = (of: Scalar): Scalar => once(scalars, of, () => rewriteScalar(of));

  const rewriteVector = (of: Vector): Vector => {
    const { node } = of;
    switch (node.kind) {
      case "source":
        return node.name === "gradient" ? replacement : of;
      case "fill":
        return new Vector({ ...node, value: value(node.value) });
      case "unary":
      case "matrix":
        return new Vector({ ...node, a: vector(node.a) });
      case "binary": {
        const b = node.b instanceof Vector ? vector(node.b) : value(node.b);
        return new Vector({ ...node, a: vector(node.a), b });
      }
      default:
        return node satisfies never;
    }
  };
  const rewriteScalar = (of: Scalar): Scalar => {
    const { node } = of;
    switch (node.kind) {
      case "reduction":
        return new Scalar({ ...node, of: vector(node.of) });
      case "unary":
        return new Scalar({ ...node, a: value(node.a) });
      case "binary":
        return new Scalar({ ...node, a: value(node.a), b: value(node.b) });
      case "constant":
      case "hyperparameter":
      case "count":
      case "segment":
      case "product":
        return of;
      default:
        return node satisfies never;
    }
  };
  return Object.fromEntries(Object.entries(expression).map(([target, of]) => [target, vector(of)]));
}
