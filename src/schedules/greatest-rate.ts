/** @file The greatest rate of a run: what a schedule of any family is known by in a table. */

import { checkPositiveInteger } from "../core/checks.ts";
import { extremeOf, sampleUpdates } from "./sample.ts";
import type { Schedule } from "./schedule.ts";

/** Runs of no more updates are evaluated at each. */
const EXACT = 1 << 17;

/**
 * The greatest rate that a run of `updates` updates uses, to 12 significant digits (0.06, not
 * 0.06000000000000001). By evaluation, so that a run that ends before the peak says so: at each update of
 * a run of up to 131,072; of a longer one at its first 65,536, at as many over the whole, and at all
 * about the greatest of these, which finds a peak that is the only one between two of them.
 * @throws ArgumentError unless updates is a positive integer.
 */
export function greatestRate(schedule: Schedule, updates: number): number {
  checkPositiveInteger("greatestRate", "updates", updates);
  const candidates = sampleUpdates(updates, EXACT);
  let greatest = Number.NEGATIVE_INFINITY;
  let at = 0;
  for (const [i, t] of candidates.entries()) {
    const rate = schedule(t);
    if (!(rate > greatest)) continue;
    greatest = rate;
    at = i;
  }
  if (updates > EXACT) {
    const [from, to] = [candidates[at - 1] ?? 0, candidates[at + 1] ?? updates - 1];
    greatest = Math.max(greatest, schedule(extremeOf(schedule, { from, to, greatest: true })));
  }
  return Number(greatest.toPrecision(12));
}
