/** @file Cycles made to fit the run. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import type { Schedule } from "../schedule.ts";
import { holdAfter } from "./hold-after.ts";
import { stretch } from "./stretch.ts";

/**
 * The schedule, stretched by as little as it takes for a whole number of its cycles, at least one, to
 * fill `steps` updates: the last cycle ends with the run, at its lowest rate. Of two numbers of cycles
 * the one whose length is nearer, as a ratio, is taken. As with cosineDecay, the lowest rate is that
 * of update `steps`, the first that the run does not make; from there on it is flat.
 *
 *   snapCycles(triangular({ base: 1e-3, max: 6e-3, stepSize: 200 }), 1000)   // 2.5 cycles -> 3
 * @throws ArgumentError if steps is not a positive integer, or the schedule has no cycles.
 */
export function snapCycles(schedule: Schedule, steps: number): Schedule {
  checkPositiveInteger("snapCycles", "steps", steps);
  const whole = wholeCycles(schedule, steps);
  if (!whole)
    throw new ArgumentError(
      "snapCycles: needs a schedule with cycles: triangular, triangular2, expRange, cyclical, " +
        "cosineRestarts or repeat, as it is, clipped or stretched",
    );
  const { length: own } = whole;
  const fitted = own === steps ? schedule : stretch(schedule, { steps: own, to: steps });
  return holdAfter(fitted, { steps });
}

/**
 * The whole number of cycles, at least one, whose length is nearest to `steps` updates as a ratio, and that
 * length; null of a schedule without cycles.
 */
export function wholeCycles(
  { cycleEnd }: Schedule,
  steps: number,
): { count: number; length: number } | null {
  if (!cycleEnd) return null;
  const off = (n: number) => Math.abs(Math.log(cycleEnd(n) / steps));
  const whole = cyclesWithin(cycleEnd, steps);
  // More cycles come nearer until they have passed the end; of equals, the more.
  const count = whole === 0 || off(whole + 1) <= off(whole) ? whole + 1 : whole;
  return { count, length: cycleEnd(count) };
}

/** How many cycles end at or before update `steps`: by doubling, then by halves. */
function cyclesWithin(cycleEnd: (n: number) => number, steps: number): number {
  let above = 1;
  while (above < Number.MAX_SAFE_INTEGER && cycleEnd(above) <= steps) above *= 2;
  let within = Math.floor(above / 2);
  while (above - within > 1) {
    const middle = within + Math.floor((above - within) / 2);
    if (cycleEnd(middle) <= steps) within = middle;
    else above = middle;
  }
  return within;
}
