/** @file A schedule kept within bounds. */

import { checkNonNegative, checkPositive } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";

export interface ClipOptions {
  /** The least rate; default 0. */
  readonly min?: number;
  /** The greatest rate; default none. */
  readonly max?: number;
}

/**
 * `min(max(schedule(t), options.min), options.max)`: a floor under an endless decay, or a lid on
 * a schedule that was made for another optimizer. end_value of optax's exponential_decay.
 * @throws ArgumentError if neither bound is given, min is negative, max is not above 0, or min is above max.
 */
export function clip(schedule: Schedule, { min, max }: ClipOptions): Schedule {
  if (min === undefined && max === undefined)
    throw new ArgumentError("clip: needs min, max or both; got neither");
  if (min !== undefined) checkNonNegative("clip", "min", min);
  if (max !== undefined) checkPositive("clip", "max", max);
  const [low, high] = [min ?? 0, max ?? Number.POSITIVE_INFINITY];
  if (low > high)
    throw new ArgumentError(`clip: min must not be above max; got min ${low}, max ${high}`);
  const { steps, cycleEnd, nextTurn } = schedule;
  return defineSchedule(
    (t) => Math.min(Math.max(schedule(t), low), high),
    () => ({
      type: "clip",
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      schedule: schedule.toJSON(),
    }),
    { steps, nextTurn, of: [schedule], ...(cycleEnd ? { cycleEnd } : {}) },
  );
}
