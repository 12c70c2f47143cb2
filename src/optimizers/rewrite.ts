/** @file Expressions with other vectors where their sources stood: how clipping and wrappers are made. */

import { Scalar, Vector } from "./expression.ts";
import type { UpdateExpression } from "./types.ts";

/** The expressions with `replacements` of sources, by name; shared parts stay shared. */
export function replaceSources<E extends UpdateExpression>(
  expression: E,
  replacements: Readonly<Record<string, Vector>>,
): E {
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
        return replacements[node.name] ?? of;
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
      case "state":
      case "product":
        return of;
      default:
        return node satisfies never;
    }
  };
  return Object.fromEntries(
    Object.entries(expression).map(([target, of]) => [
      target,
      of instanceof Scalar ? value(of) : vector(of),
    ]),
  ) as E;
}
