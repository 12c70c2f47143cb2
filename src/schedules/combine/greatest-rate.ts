/** @file The greatest rate of a run: what a schedule of any family is known by in a table. */

import { checkPositiveInteger } from "../../core/checks.ts";
import type { Schedule } from "../schedule.ts";
import { turningUpdates } from "../turns.ts";

/** Updates that are looked at, at most: of a schedule that says where it turns, and of any other. */
const MOST_TURNS = 100_000;
const MOST_UPDATES = 1_000_000;

/**
 * The greatest rate that a run of `updates` updates uses, to 12 significant digits (0.06, not
 * 0.06000000000000001): the greatest at its turns and its ends, so that a run that ends before the peak
 * says so. In a run of more than 50,000 turns those of 12,500 parts of it are looked at, each part's
 * first and last; of a schedule of one's own that does not say where it turns (`nextTurn`), each of the
 * updates, or a million, evenly spaced.
 * @throws ArgumentError unless updates is a positive integer, at most 2^53 - 1.
 */
export function greatestRate(schedule: Schedule, updates: number): number {
  checkPositiveInteger("greatestRate", "updates", updates);
  const most = schedule.nextTurn ? MOST_TURNS : MOST_UPDATES;
  const looked = turningUpdates(schedule, { from: 0, to: updates - 1, most });
  let greatest = Number.NEGATIVE_INFINITY;
  for (const update of looked.updates) greatest = Math.max(greatest, schedule(update));
  return Number(greatest.toPrecision(12));
}
