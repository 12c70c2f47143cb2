/** @file What every opener of a data set checks and counts alike: fractions, normalisation, classes. */

import { at } from "../core/at.ts";
import { checkNonNegativeInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import type { DatasetRecord } from "../record/index.ts";
import type { Normalization } from "./normalise.ts";
import type { Parts } from "./split.ts";
import type { OpenOptions } from "./types.ts";

/** Fraction of each class that validates unless that is said. */
export const VALIDATION_FRACTION = 0.2;

/** @throws ArgumentError where the fractions leave nothing to train on, or the seed is none */
export function checkSplit(options: Pick<OpenOptions, "validation" | "test" | "splitSeed">): void {
  const { validation, test, splitSeed } = options;
  if (validation !== undefined && !(validation > 0 && validation < 1))
    throw new ArgumentError(
      `data: validation must be a fraction between 0 and 1, both excluded; got ${validation}`,
    );
  if (test !== undefined && !(test > 0 && test + (validation ?? VALIDATION_FRACTION) < 1))
    throw new ArgumentError(
      `data: test must be a fraction above 0 that leaves images to train on beside the validation part (${validation ?? VALIDATION_FRACTION}); got ${test}`,
    );
  if (splitSeed !== undefined) checkNonNegativeInteger("data", "split seed", splitSeed);
}

/** A copy. @throws ArgumentError unless it has a finite mean and a positive deviation for each channel */
export function checkedNormalization(
  { mean, std }: Normalization,
  name: string,
  channels: number,
): { mean: number[]; std: number[] } {
  if (mean.length !== channels || std.length !== channels)
    throw new ArgumentError(
      `data: normalization must have ${channels} means and deviations, one a channel of "${name}"; got ${mean.length} and ${std.length}`,
    );
  if (!mean.every(Number.isFinite) || !std.every((value) => Number.isFinite(value) && value > 0))
    throw new ArgumentError(
      `data: normalization must be finite means and positive deviations; got ${mean.join(", ")} and ${std.join(", ")}`,
    );
  return { mean: [...mean], std: [...std] };
}

/** How many items of each class every part has; the test part is left out where it is empty. */
export function countClasses(
  classes: readonly string[],
  labels: Int32Array,
  parts: Parts,
): DatasetRecord["classes"] {
  const counts = classes.map((name) => ({ name, count: 0, train: 0, validation: 0, test: 0 }));
  for (const part of ["train", "validation", "test"] as const)
    for (const i of parts[part]) {
      const ofClass = at(counts, at(labels, i, "labels"), "classes");
      ofClass.count++;
      ofClass[part]++;
    }
  if (parts.test.length > 0) return counts;
  return counts.map(({ test, ...rest }) => rest);
}
