/** @file What every rule reads off every seed's curve, whatever the curve is worth: shown beside the suggestion. */

import { at, present } from "../../core/at.ts";
import type { Interval, RangeTestReading } from "../../record/index.ts";
import { medianRate, standardDeviation } from "../statistics/statistics.ts";
import { LEVEL, twoSidedT } from "../statistics/student-t.ts";
import { averaged } from "./averaged.ts";
import { finiteCurve, type RangeTestRun, rawCurve } from "./curves.ts";
import { rangeTestRules } from "./rules.ts";

/** Below so many seeds there is no interval. */
const LEAST_SEEDS = 3;

/** Ends of a ramp. */
export interface Ends {
  readonly from: number;
  readonly to: number;
}

/** The rate, or the end of the ramp beyond which it lies. */
export const within = ({ from, to }: Ends, rate: number): number =>
  Math.min(to, Math.max(from, rate));

/**
 * exp(log rate -+ t(n - 1) sd / sqrt(n)) at 95%, sd of the n seeds' own log rates, cut off at the ends of the
 * ramp; null below three seeds.
 */
export function intervalAbout(rate: number, own: readonly number[], ends: Ends): Interval | null {
  if (own.length < LEAST_SEEDS) return null;
  const sd = present(standardDeviation([...own].sort((a, b) => a - b).map(Math.log)), "deviation");
  const half = (sd / Math.sqrt(own.length)) * twoSidedT(LEVEL, own.length - 1);
  return {
    low: within(ends, rate * Math.exp(-half)),
    high: within(ends, rate * Math.exp(half)),
  };
}

/**
 * Of the points' smoothed losses, and for "fall" of the losses smoothed about each rate, in the order of the
 * table of rules.
 * @param ends of the ramp; default the least and the greatest rate of the points
 */
export function readRules(
  runs: readonly RangeTestRun[],
  ends: Ends = endsOf(runs),
): Record<string, RangeTestReading> {
  const curves = runs.map(finiteCurve);
  // This rule is one of a curve that does not lag.
  const local = runs.map((run) => rawCurve(run, ends.to));
  return Object.fromEntries(
    Object.entries(rangeTestRules).map(([name, read]) => {
      const values = curves.map((curve, i) => {
        if (curve.losses.length === 0) return null;
        return read(name === "fall" ? averaged([at(local, i, "curves")]) : curve);
      });
      const rates = values.filter((rate) => rate !== null);
      const some = rates.length > 0;
      const centre = Math.exp(rates.reduce((sum, rate) => sum + Math.log(rate), 0) / rates.length);
      return [
        name,
        {
          values,
          median: some ? medianRate(rates) : null,
          low: some ? Math.min(...rates) : null,
          high: some ? Math.max(...rates) : null,
          interval: intervalAbout(centre, rates, ends),
        },
      ];
    }),
  );
}

/** The least and the greatest rate of all points. */
export function endsOf(runs: readonly RangeTestRun[]): Ends {
  const rates = runs.flatMap(({ points }) => points.map(({ lr }) => lr));
  return {
    from: rates.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    to: rates.reduce((a, b) => Math.max(a, b), 0),
  };
}
