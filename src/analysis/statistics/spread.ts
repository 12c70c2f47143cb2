/** @file One quantity over the seeds. */

import type { Interval, Spread } from "../../record/index.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { LEVEL, standardError, tInterval, twoSidedT } from "./student-t.ts";

/**
 * Mean, deviation and 95% t interval of the values that are there; `values` keeps its gaps, one a
 * seed.
 */
export const spreadOf = (values: readonly (number | null)[]): Spread => spread(values, tInterval);

/**
 * The same of accuracies, whose interval stays within 0 .. 1.
 * @param images that each accuracy is counted over; default unknown
 */
export const accuracySpread = (values: readonly (number | null)[], images?: number): Spread =>
  spread(values, (present) => accuracyInterval(present, images));

function spread(
  values: readonly (number | null)[],
  intervalOf: (present: readonly number[]) => Interval | null,
): Spread {
  const present = values.filter((value) => value !== null);
  return {
    mean: present.length === 0 ? null : mean(present),
    sd: standardDeviation(present),
    values: [...values],
    interval: intervalOf(present),
  };
}

/** Where the number of images is not known, an accuracy counts as of so many. */
const MANY_IMAGES = 10_000;

/** Variance of an accuracy's rounding to a whole number of `images`: that of a uniform step. */
export const roundingOf = (images: number): number => 1 / (12 * images * images);

/**
 * 95% interval of a mean accuracy: Student's t on the logit scale, by the delta method, which for small
 * deviations is the plain one and near 0 and 1 bends away from them. (Brown, Cai and DasGupta,
 * "Interval estimation for a binomial proportion", Statistical Science 16 (2001), section 4.) null below three
 * values.
 */
export function accuracyInterval(
  accuracies: readonly number[],
  images = MANY_IMAGES,
): Interval | null {
  const found = standardError(accuracies, { rounding: roundingOf(images) });
  if (found === null) return null;
  // Of the very ends the logit is infinite: half an image away from them it is not.
  const end = 1 / (2 * images);
  const centre = Math.min(Math.max(found.centre, end), 1 - end);
  const half = (twoSidedT(LEVEL, found.df) * found.error) / (centre * (1 - centre));
  const at = (shift: number) => 1 / (1 + ((1 - centre) / centre) * Math.exp(-shift));
  return { low: Math.min(at(-half), found.centre), high: Math.max(at(half), found.centre) };
}
