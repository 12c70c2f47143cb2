/** @file From a quick ramp over all rates to the ends of the one that is read: it spends its updates where something happens. */

import { at } from "../../core/at.ts";
import { averaged, isFlat } from "./averaged.ts";
import { type RangeTestRun, rawCurve } from "./curves.ts";
import type { Ends } from "./readings.ts";

/** The rates of a quick ramp: no default ramp goes beyond. */
export const ALL_RATES: Ends = { from: 1e-7, to: 10 };

/** A slower ramp diverges earlier than a quick one; but two starts do not at the same rate. */
const BEYOND = 2;

/** The ramp begins so far below its end; or further, where the loss is least early, or no fall is seen. */
const SPAN = 1e4;
const LONG_SPAN = 1e6;

/** And so far below the rate of the least loss: rules read a tenth of it, and there must be room below. */
const BELOW_LEAST = 300;

/**
 * Ends of a ramp about what a quick one shows: from well below the rate at which its loss is least, to beyond
 * where it diverged, or the end of the quick one.
 * @param run of the quick ramp, which ended where its loss had diverged
 */
export function endsAbout(run: RangeTestRun, quick: Ends = ALL_RATES): Ends {
  const curve = rawCurve(run, quick.to);
  const last = run.points.at(-1)?.lr ?? quick.from;
  const to = curve.ended ? Math.min(quick.to, BEYOND * last) : quick.to;
  if (curve.losses.length === 0) return { from: to / SPAN, to };
  const mean = averaged([curve]);
  if (isFlat(mean)) return { from: to / LONG_SPAN, to };
  return { from: Math.min(to / SPAN, at(mean.lrs, mean.least, "lrs") / BELOW_LEAST), to };
}

/** Of a test's updates, those of the quick ramp: a fifth; none of a test that is too short for both. */
export const searchUpdates = (updates: number): number =>
  updates < 100 ? 0 : Math.max(8, Math.round(updates / 5));
