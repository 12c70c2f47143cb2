/** @file The points of a range test's seeds as curves: what of them is finite, and whether the ramp was run to its end. */

import { get, present } from "../../core/at.ts";
import type { RangeTestRecord } from "../../record/index.ts";
import type { RawCurve } from "./averaged.ts";
import type { Curve } from "./rules.ts";

/** One seed's points. */
export type RangeTestRun = RangeTestRecord["runs"][number];

/** Rates and smoothed losses up to the first point that is not finite. */
export function finiteCurve(run: RangeTestRun): Curve {
  const points = before(
    run,
    ({ loss, smoothedLoss }) => Number.isFinite(loss) && Number.isFinite(smoothedLoss),
  );
  const accuracies = points.flatMap(({ accuracy }) => accuracy ?? []);
  return {
    lrs: points.map((p) => p.lr),
    losses: points.map((p) => get(p, "smoothedLoss", "point")),
    ...(accuracies.length === points.length ? { accuracies } : {}),
  };
}

/** Losses as they were measured up to the first that is not finite. @param to end of the ramp that was asked for */
export function rawCurve(run: RangeTestRun, to: number): RawCurve {
  const points = before(run, ({ loss }) => Number.isFinite(loss));
  const last = points.at(-1)?.lr ?? 0;
  return {
    seed: run.seed,
    lrs: points.map(({ lr }) => lr),
    losses: points.map(({ loss }) => present(loss, "loss")),
    accuracies: points.map(({ accuracy }) => accuracy ?? null),
    // The last rate of a ramp is its end, but for rounding.
    ended: points.length < run.points.length || !(last >= to * (1 - 1e-9)),
  };
}

function before(
  { points }: RangeTestRun,
  holds: (point: RangeTestRun["points"][number]) => boolean,
): RangeTestRun["points"] {
  const end = points.findIndex((point) => !holds(point));
  return end < 0 ? points : points.slice(0, end);
}
