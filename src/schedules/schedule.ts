/** @file What a schedule is: a pure function of the update count that can be written down. */

import { ArgumentError } from "../core/errors.ts";

/**
 * A schedule written down as plain JSON, `{ type: "triangular", ... }`. Lengths are in updates.
 * The same shape as record's `scheduleSpec`.
 */
export type ScheduleSpec = { [field: string]: unknown; type: string };

/**
 * The learning rate of update `t`; `t` counts from 0, so that `schedule(0)` is what the first
 * update uses. Pure: any `t` from 0 on may be asked for, in any order, so that a run resumes at any
 * update by asking for it. A schedule that ends is flat from there on and never throws;
 * `warnPastEnd` says so once. `JSON.stringify` of a schedule, or of an object that holds one, writes
 * its specification, and `scheduleFromJSON` reads it back.
 */
export type Schedule = ((t: number) => number) & {
  /** Updates that it is made for: 0 .. steps - 1. Infinity where it has no end. */
  readonly steps: number;
  /** Update at which the n-th cycle ends, n from 1; absent where there are no cycles. */
  readonly cycleEnd?: (n: number) => number;
  /**
   * The first moment after update `t` at which the rate may turn or jump: between two such moments it
   * only rises or only falls. Not always whole; Infinity where none comes. Absent where nobody knows, so
   * that only evaluation tells.
   */
  readonly nextTurn?: (t: number) => number;
  /** @throws ArgumentError where it holds a function of the caller's, which JSON cannot */
  toJSON(): ScheduleSpec;
};

export interface ScheduleTraits {
  /** Updates that it is made for; default Infinity, no end. */
  readonly steps?: number;
  readonly cycleEnd?: (n: number) => number;
  /** As of Schedule; default absent: where the rate turns is not known. */
  readonly nextTurn?: ((t: number) => number) | undefined;
  /** The schedules that it is made of; default none. */
  readonly of?: readonly Schedule[];
}

/** Schedules within schedules: so many levels at most, the innermost counted. */
export const MOST_LEVELS = 64;

/** And so many in all. */
export const MOST_PARTS = 10_000;

/** Of each schedule: its levels, and of how many schedules it is made, itself counted. */
const sizes = new WeakMap<Schedule, { readonly levels: number; readonly parts: number }>();

/**
 * Join a rate function to its specification, or to a function that makes it (or throws, where there
 * is none). The way to a schedule of one's own:
 *
 *   const halving = defineSchedule((t) => 0.1 / 2 ** Math.floor(t / 100), { type: "halving" });
 * @throws ArgumentError if it is made of schedules, and they are nested more than 63 deep themselves, or
 * are 10,000 or more.
 */
export function defineSchedule(
  rate: (t: number) => number,
  spec: ScheduleSpec | (() => ScheduleSpec),
  { steps = Number.POSITIVE_INFINITY, cycleEnd, nextTurn, of = [] }: ScheduleTraits = {},
): Schedule {
  let [levels, parts] = [1, 1];
  for (const inner of of) {
    const size = sizes.get(inner) ?? { levels: 1, parts: 1 };
    levels = Math.max(levels, 1 + size.levels);
    parts += size.parts;
  }
  if (levels > MOST_LEVELS) throw tooDeep();
  if (parts > MOST_PARTS) throw tooManyParts();
  const toJSON = typeof spec === "function" ? spec : () => spec;
  const schedule = Object.assign((t: number) => rate(t), {
    steps,
    toJSON,
    ...(cycleEnd ? { cycleEnd } : {}),
    ...(nextTurn ? { nextTurn } : {}),
  });
  sizes.set(schedule, { levels, parts });
  return schedule;
}

/** Each level is a call within a call: without a limit, a file of brackets would exhaust the stack. */
export const tooDeep = () =>
  new ArgumentError(
    `schedule: is nested more than ${MOST_LEVELS} levels deep; write what lies innermost without the combinators around it`,
  );

export const tooManyParts = () =>
  new ArgumentError(
    `schedule: is made of more than ${MOST_PARTS} schedules; use fewer parts, as with piecewise`,
  );
