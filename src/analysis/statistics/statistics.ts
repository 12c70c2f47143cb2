/** @file Means, deviations and medians of short lists. */

import { at } from "../../core/at.ts";

export const mean = (values: readonly number[]) =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** Sample standard deviation, n - 1 in the denominator; null below two values. */
export function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const squares = values.reduce((total, value) => total + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Middle value; the mean of the middle two where their count is even. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half)
    ? (at(sorted, half - 1, "sorted") + at(sorted, half, "sorted")) / 2
    : at(sorted, Math.floor(half), "sorted");
}

/** Median on the log scale, where rates live: the geometric mean of the middle two, if two. */
export function medianRate(rates: readonly number[]): number {
  const sorted = [...rates].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half)
    ? Math.sqrt(at(sorted, half - 1, "sorted") * at(sorted, half, "sorted"))
    : at(sorted, Math.floor(half), "sorted");
}
