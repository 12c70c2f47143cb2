/** @file The greatest rate of a run: what a schedule of any family is known by in a table. */

import { checkPositiveInteger } from "../core/checks.ts";
import type { Schedule } from "./schedule.ts";

/**
 * The greatest rate that a run of `updates` updates uses, to 12 significant digits (0.06, not
 * 0.06000000000000001). By evaluation at each update, so that a run that ends before the peak says so.
 * @throws ArgumentError unless updates is a positive integer.
 */
export function greatestRate(schedule: Schedule, updates: number): number {
  checkPositiveInteger("greatestRate", "updates", updates);
  let greatest = schedule(0);
  for (let t = 1; t < updates; t++) greatest = Math.max(greatest, schedule(t));
  return Number(greatest.toPrecision(12));
}
