/** @file Learning-rate and weight-decay scales of parameters, chosen by the beginnings of their names. */

import { checkNonNegative } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";

/** Parameters that learn at a rate, or decay with a strength, of their own. */
export interface ParameterGroup {
  /**
   * Whole leading parts of the parameters' names: "features" and "features.0" match
   * "features.0.weight", "feat" does not. Where several groups match, the longest prefix decides.
   */
  readonly prefix: string;
  /** Factor of the learning rate, 0 to freeze; default 1. */
  readonly learningRateScale?: number;
  /** Factor of the weight decay, 0 for none; default 1. */
  readonly weightDecayScale?: number;
}

type Scales = Pick<ParameterGroup, "learningRateScale" | "weightDecayScale">;

/**
 * The scales of each trainable parameter, by name; where no group matches, none.
 * @throws ArgumentError for a prefix that is named twice or that no parameter begins with, or a
 *   scale that is negative or not finite
 */
export function parameterScales(
  subject: string,
  names: readonly string[],
  groups: readonly ParameterGroup[],
): ReadonlyMap<string, Scales> {
  const matches = (name: string, prefix: string) =>
    name === prefix || name.startsWith(`${prefix}.`);
  for (const [i, { prefix, learningRateScale = 1, weightDecayScale = 1 }] of groups.entries()) {
    const group = `parameter group "${prefix}"`;
    checkNonNegative(`${subject}: ${group}`, "learningRateScale", learningRateScale);
    checkNonNegative(`${subject}: ${group}`, "weightDecayScale", weightDecayScale);
    if (groups.findIndex((other) => other.prefix === prefix) < i)
      throw new ArgumentError(`${subject}: ${group} is named twice; give both scales in one group`);
    if (!names.some((name) => matches(name, prefix)))
      throw new ArgumentError(
        `${subject}: ${group} matches no trainable parameter; they are ${names.join(", ")}`,
      );
  }
  const longestFirst = [...groups].sort((a, b) => b.prefix.length - a.prefix.length);
  const scales = new Map<string, Scales>();
  for (const name of names) {
    const group = longestFirst.find(({ prefix }) => matches(name, prefix));
    if (!group) continue;
    const { learningRateScale = 1, weightDecayScale = 1 } = group;
    scales.set(name, { learningRateScale, weightDecayScale });
  }
  return scales;
}
