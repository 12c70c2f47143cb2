/** @file An end for a schedule: flat from there on. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { endRate } from "./shape.ts";

export interface HoldAfterOptions {
  /** Updates after which the rate does not change. */
  readonly steps: number;
}

/**
 * `schedule(t)` for t < steps, then flat at the rate that it comes to at `steps`: that of a cycle's
 * end where it would start again there. Gives an end, which warnPastEnd speaks of, to what has none.
 * @throws ArgumentError if steps is not a positive integer.
 */
export function holdAfter(schedule: Schedule, { steps }: HoldAfterOptions): Schedule {
  checkPositiveInteger("holdAfter", "steps", steps);
  const { cycleEnd, nextTurn } = schedule;
  return defineSchedule(
    (t) => (t < steps ? schedule(t) : endRate(schedule, steps)),
    () => ({ type: "holdAfter", steps, schedule: schedule.toJSON() }),
    {
      steps,
      ...(cycleEnd ? { cycleEnd } : {}),
      nextTurn: nextTurn && ((t) => (t >= steps ? Infinity : Math.min(nextTurn(t), steps))),
      of: [schedule],
    },
  );
}
