/** @file Curves of several seeds drawn together: mean and extremes at each epoch. */

import { mean } from "./statistics/statistics.ts";

export interface BandPoint {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** How many curves have a value here. */
  readonly count: number;
}

/**
 * Mean, least and greatest over the curves, index by index, as long as the longest of them.
 * Curves may be of different lengths and have gaps; null where none has a value.
 */
export function bands(curves: readonly (readonly (number | null)[])[]): (BandPoint | null)[] {
  const length = Math.max(0, ...curves.map((curve) => curve.length));
  return Array.from({ length }, (_, i) => {
    const values = curves
      .map((curve) => curve[i])
      .filter((value): value is number => typeof value === "number" && Number.isFinite(value));
    if (values.length === 0) return null;
    return {
      mean: mean(values),
      min: Math.min(...values),
      max: Math.max(...values),
      count: values.length,
    };
  });
}
