/** @file Student's t: probabilities, quantiles, and the interval of a mean that they give. */

import type { Interval } from "../../record/index.ts";
import { incompleteBeta } from "./incomplete-beta.ts";
import { mean, standardDeviation } from "./statistics.ts";

/** P(|T| >= |t|) of Student's t with `df` degrees of freedom. */
export function twoSidedP(t: number, df: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  const squared = t * t;
  return incompleteBeta(df / (df + squared), df / 2, 0.5, squared / (df + squared));
}

/**
 * The t with P(|T| <= t) = level, by bisection: 4.303 for level 0.95 and 2 degrees of freedom.
 * 0 < level < 1, df >= 1.
 */
export function twoSidedT(level: number, df: number): number {
  let low = 0;
  let high = 1;
  while (twoSidedP(high, df) > 1 - level) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (twoSidedP(middle, df) > 1 - level) low = middle;
    else high = middle;
  }
}

/** 0.95, the level of every interval in the records. */
export const LEVEL = 0.95;

/** mean -+ t(n - 1) sd / sqrt(n) at 95%; null below two values. */
export function tInterval(values: readonly number[]): Interval | null {
  const sd = standardDeviation(values);
  if (sd === null) return null;
  const half = (sd / Math.sqrt(values.length)) * twoSidedT(LEVEL, values.length - 1);
  const centre = mean(values);
  return { low: centre - half, high: centre + half };
}
