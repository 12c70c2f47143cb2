/** @file Schedules one after another. */

import { checkNonNegativeInteger, checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { endRate } from "./shape.ts";

/** A schedule, for how many updates it is in force, and which of its own updates is the first; default 0. */
export type SequencePart = readonly [steps: number, schedule: Schedule, from?: number];

/**
 * Each part in turn, its own `t` counted from 0, or from where it is said to begin. After the end it is flat, at the rate that the last
 * part comes to at its end: `sequence([10, warmup], [90, cosineDecay({ peak, steps: 90 })])` is at the
 * floor from update 100 on.
 *
 * torch's SequentialLR, optax's join_schedules, which go on with the last part.
 * @throws ArgumentError if there is no part, or a length is not a positive integer, or
 * a beginning no integer of 0 or more.
 */
export function sequence(...parts: readonly SequencePart[]): Schedule {
  const end = parts.at(-1);
  if (end === undefined)
    throw new ArgumentError("sequence: needs at least one [steps, schedule] part; got none");
  for (const [steps, , from = 0] of parts) {
    checkPositiveInteger("sequence", "steps", steps);
    checkNonNegativeInteger("sequence", "from", from);
  }
  const total = parts.reduce((sum, [steps]) => sum + steps, 0);
  const turns = parts.flatMap(([steps, { nextTurn }, from = 0]) =>
    nextTurn ? [{ steps, from, nextTurn }] : [],
  );
  const nextTurn = (t: number) => {
    let start = 0;
    for (const { steps, from, nextTurn } of turns) {
      if (t < start + steps)
        return Math.min(start - from + nextTurn(t - start + from), start + steps);
      start += steps;
    }
    return Infinity;
  };
  return defineSchedule(
    (t) => {
      let start = 0;
      for (const [steps, schedule, from = 0] of parts) {
        if (t < start + steps) return schedule(t - start + from);
        start += steps;
      }
      const [steps, last, from = 0] = end;
      return endRate(last, from + steps);
    },
    () => ({
      type: "sequence",
      parts: parts.map(([steps, schedule, from = 0]) => ({
        steps,
        ...(from === 0 ? {} : { from }),
        schedule: schedule.toJSON(),
      })),
    }),
    {
      steps: total,
      nextTurn: turns.length === parts.length ? nextTurn : undefined,
      of: parts.map(([, part]) => part),
    },
  );
}
