/** @file What a layer is: something that extends the graph under a name of its own. */

import { checkNonNegativeInteger, checkPositiveInteger } from "../core/checks.ts";
import type { GraphBuilder, Tensor } from "../ir/index.ts";

/** Where a layer is built: the graph so far, and the name that its parameters begin with. */
export interface Scope {
  readonly builder: GraphBuilder;
  /** "features.0"; "" at the root. */
  readonly name: string;
}

/** A piece of a network: adds its ops to the graph that is being built. */
export interface Layer {
  /** Adds nodes that compute the layer of x; returns the result. */
  build(x: Tensor, scope: Scope): Tensor;
}

/** "features" + "0" -> "features.0" */
export const childScope = ({ builder, name }: Scope, child: string): Scope => ({
  builder,
  name: name === "" ? child : `${name}.${child}`,
});

/** "features.0" + "weight" -> "features.0.weight" */
export const parameterName = ({ name }: Scope, parameter: string) =>
  name === "" ? parameter : `${name}.${parameter}`;

/** One number for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

const asPair = (pair: Pair): readonly [number, number] =>
  typeof pair === "number" ? [pair, pair] : pair;

/** @throws ArgumentError unless both are positive integers */
export function positivePair(subject: string, name: string, pair: Pair): readonly [number, number] {
  for (const extent of asPair(pair)) checkPositiveInteger(subject, name, extent);
  return asPair(pair);
}

/** @throws ArgumentError unless both are integers, 0 or more */
export function nonNegativePair(
  subject: string,
  name: string,
  pair: Pair,
): readonly [number, number] {
  for (const extent of asPair(pair)) checkNonNegativeInteger(subject, name, extent);
  return asPair(pair);
}
