/** @file Student's t: probabilities, quantiles, and the test and interval of a mean that they give. */

import type { Interval } from "../../record/index.ts";
import { incompleteBeta } from "./incomplete-beta.ts";
import { mean, standardDeviation } from "./statistics.ts";

/** P(|T| >= |t|) of Student's t with `df` degrees of freedom. */
export function twoSidedP(t: number, df: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  const squared = t * t;
  return incompleteBeta(df / (df + squared), df / 2, 0.5, squared / (df + squared));
}

/** Quantiles that were looked for before: a comparison asks for few, over and over. */
const known = new Map<string, number>();

/**
 * The t with P(|T| <= t) = level, by bisection: 4.303 for level 0.95 and 2 degrees of freedom.
 * 0 < level < 1, df > 0.
 */
export function twoSidedT(level: number, df: number): number {
  const key = `${level} ${df}`;
  const found = known.get(key) ?? bisected(level, df);
  if (Number.isInteger(df)) known.set(key, found);
  return found;
}

function bisected(level: number, df: number): number {
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

/** Fewer values give no interval: that of two rests on one number, and has no width where they are equal. */
export const LEAST_VALUES = 3;

export interface MeanOptions {
  /**
   * Variance that is added to the sample's: of counts, that of rounding to them, so that a few equal values
   * are not taken for certainty. Default 0.
   */
  readonly rounding?: number;
}

/** Mean of the values, its standard error, and degrees of freedom; null below three values. */
export function standardError(
  values: readonly number[],
  { rounding = 0 }: MeanOptions = {},
): { readonly centre: number; readonly error: number; readonly df: number } | null {
  const sd = standardDeviation(values);
  if (sd === null || values.length < LEAST_VALUES) return null;
  const error = Math.sqrt((sd * sd + rounding) / values.length);
  return { centre: mean(values), error, df: values.length - 1 };
}

/** mean -+ t(n - 1) sd / sqrt(n) at 95%; null below three values. */
export function tInterval(
  values: readonly number[],
  options: MeanOptions & { readonly level?: number } = {},
): Interval | null {
  const found = standardError(values, options);
  if (found === null) return null;
  const half = found.error * twoSidedT(options.level ?? LEVEL, found.df);
  return { low: found.centre - half, high: found.centre + half };
}

/** Two-sided p of the t test that the mean is 0; null below three values, 1 where all are 0. */
export function tTestP(values: readonly number[], options: MeanOptions = {}): number | null {
  const found = standardError(values, options);
  if (found === null) return null;
  return found.centre === 0 ? 1 : twoSidedP(found.centre / found.error, found.df);
}
