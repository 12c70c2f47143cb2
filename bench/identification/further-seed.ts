/** @file Where another seed would be. */

import { LEVEL, standardError, twoSidedT } from "../../src/analysis/statistics/student-t.ts";

/**
 * Where another seed of the same candidate would be with a probability of 95%: its seeds' mean, and as far from it as
 * Student's t says of a further value of the same kind. Undefined with fewer than three.
 */
export function furtherSeed(seeds: readonly number[]): readonly [number, number] | undefined {
  const found = standardError(seeds);
  if (!found) return undefined;
  const { centre, error, df } = found;
  const reach = twoSidedT(LEVEL, df) * error * Math.sqrt(seeds.length + 1);
  return [centre - reach, centre + reach];
}
