/** @file Schedules one after the other. */

import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { defineSchedule, type Schedule } from "./schedule.ts";

/** How many updates a part lasts, and the schedule it follows, which counts from 0 again. */
export type SequencePart = readonly [steps: number, schedule: Schedule];

/**
 * Each part for as many updates as it says; the last goes on after that. A warm-up, then a decay:
 *
 * @example
 * sequence([10, linearRamp({ from: 0, to: 0.1, steps: 10 })], [90, cosineDecay({ peak: 0.1, steps: 90 })])
 *
 * @throws ArgumentError if there is no part, or a part's steps is not a positive integer.
 */
export function sequence(...parts: readonly SequencePart[]): Schedule {
  if (parts.length === 0)
    throw new ArgumentError("sequence: needs at least one [steps, schedule] part; got none");
  for (const [steps] of parts) checkPositiveInteger("sequence", "steps", steps);
  return defineSchedule(
    (t) => {
      let start = 0;
      for (const [steps, schedule] of parts.slice(0, -1)) {
        if (t < start + steps) return schedule(t - start);
        start += steps;
      }
      return parts.at(-1)![1](t - start);
    },
    {
      type: "sequence",
      parts: parts.map(([steps, schedule]) => ({ steps, schedule: schedule.toJSON() })),
    },
  );
}
