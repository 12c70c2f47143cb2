/** @file A schedule over and over. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { everyRound } from "../turns.ts";
import { endRate } from "./shape.ts";

export interface RepeatOptions {
  /** Updates of the schedule that make one round. */
  readonly steps: number;
  /** Rounds; default without an end. */
  readonly times?: number;
}

/**
 * The first `steps` updates of a schedule again and again: `schedule(t mod steps)`. After `times`
 * rounds it is flat, at the rate that the schedule comes to at the end of its `steps`.
 * @throws ArgumentError if steps or times is not a positive integer.
 */
export function repeat(schedule: Schedule, { steps, times }: RepeatOptions): Schedule {
  checkPositiveInteger("repeat", "steps", steps);
  if (times !== undefined) checkPositiveInteger("repeat", "times", times);
  const end = times === undefined ? Number.POSITIVE_INFINITY : times * steps;
  const round = schedule.nextTurn && everyRound(steps, schedule.nextTurn);
  return defineSchedule(
    (t) => (t >= end ? endRate(schedule, steps) : schedule(t % steps)),
    () => ({
      type: "repeat",
      steps,
      ...(times === undefined ? {} : { times }),
      schedule: schedule.toJSON(),
    }),
    {
      steps: end,
      cycleEnd: (n) => n * steps,
      nextTurn: round && ((t) => (t >= end ? Infinity : Math.min(round(t), end))),
      of: [schedule],
    },
  );
}
