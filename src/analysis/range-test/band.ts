/** @file The curves of a range test's seeds as one band. */

import { median } from "../statistics/statistics.ts";
import { finiteCurve, type RangeTestRun } from "./curves.ts";

export interface RangeTestBandPoint {
  readonly lr: number;
  /** Of the smoothed losses at this rate. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Seeds whose loss is finite up to here. */
  readonly count: number;
}

/**
 * Median, least and greatest smoothed loss at each rate. The seeds share the ramp, so points are
 * matched by their place in it; the band goes on as long as any seed's loss is finite, and `count`
 * says how many are.
 */
export function rangeTestBand(runs: readonly RangeTestRun[]): RangeTestBandPoint[] {
  const curves = runs.map(finiteCurve);
  const longest = curves.reduce(
    (most, curve) => (curve.lrs.length > most.lrs.length ? curve : most),
    { lrs: [] as readonly number[] },
  );
  return longest.lrs.map((lr, i) => {
    const values = curves.flatMap(({ losses }) => losses[i] ?? []);
    return {
      lr,
      median: median(values),
      min: Math.min(...values),
      max: Math.max(...values),
      count: values.length,
    };
  });
}
