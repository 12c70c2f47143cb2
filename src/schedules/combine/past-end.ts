/** @file Saying once that a run goes on past the end of its schedule. */

import { defineSchedule, type Schedule } from "../schedule.ts";

/**
 * The same schedule, which calls `warn` the first time that it is asked for an update past its end,
 * and only then: such a run trains on at the last rate, which is seldom meant. Schedules themselves
 * are flat past their end and silent, as pure functions are; this wrapper is the one with a side
 * effect, and is asked for. It writes the specification of what it wraps.
 *
 * `warn` defaults to console.warn. A schedule without an end is returned as it is.
 */
export function warnPastEnd(
  schedule: Schedule,
  warn: (message: string) => void = (message) => console.warn(message),
): Schedule {
  const { steps, cycleEnd, nextTurn } = schedule;
  if (!Number.isFinite(steps)) return schedule;
  let warned = false;
  return defineSchedule(
    (t) => {
      const rate = schedule(t);
      if (t >= steps && !warned) {
        warned = true;
        warn(
          `schedule: update ${t} is past its end; it is made for ${steps} updates, and stays at ` +
            `${rate} from there on. To go on falling, make it longer (stretch)`,
        );
      }
      return rate;
    },
    () => schedule.toJSON(),
    { steps, nextTurn, ...(cycleEnd ? { cycleEnd } : {}) },
  );
}
