/** @file Schedules one after another. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { endRate } from "./shape.ts";

/** A schedule, and for how many updates it is in force. */
export type SequencePart = readonly [steps: number, schedule: Schedule];

/**
 * Each part in turn, its own `t` counted from 0. After the end it is flat, at the rate that the last
 * part comes to at its end: `sequence([10, warmup], [90, cosineDecay({ peak, steps: 90 })])` is at the
 * floor from update 100 on.
 *
 * torch's SequentialLR, optax's join_schedules, which go on with the last part.
 * @throws ArgumentError if there is no part, or a length is not a positive integer.
 */
export function sequence(...parts: readonly SequencePart[]): Schedule {
  const end = parts.at(-1);
  if (end === undefined)
    throw new ArgumentError("sequence: needs at least one [steps, schedule] part; got none");
  for (const [steps] of parts) checkPositiveInteger("sequence", "steps", steps);
  const total = parts.reduce((sum, [steps]) => sum + steps, 0);
  const turns = parts.flatMap(([steps, { nextTurn }]) => (nextTurn ? [{ steps, nextTurn }] : []));
  const nextTurn = (t: number) => {
    let start = 0;
    for (const { steps, nextTurn } of turns) {
      if (t < start + steps) return Math.min(start + nextTurn(t - start), start + steps);
      start += steps;
    }
    return Infinity;
  };
  return defineSchedule(
    (t) => {
      let start = 0;
      for (const [steps, schedule] of parts) {
        if (t < start + steps) return schedule(t - start);
        start += steps;
      }
      const [steps, last] = end;
      return endRate(last, steps);
    },
    () => ({
      type: "sequence",
      parts: parts.map(([steps, schedule]) => ({ steps, schedule: schedule.toJSON() })),
    }),
    {
      steps: total,
      nextTurn: turns.length === parts.length ? nextTurn : undefined,
      of: parts.map(([, part]) => part),
    },
  );
}
