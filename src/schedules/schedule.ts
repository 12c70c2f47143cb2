/** @file What a schedule is: a pure function of the update count that can be written down. */

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
  /** @throws ArgumentError where it holds a function of the caller's, which JSON cannot */
  toJSON(): ScheduleSpec;
};

export interface ScheduleTraits {
  /** Updates that it is made for; default Infinity, no end. */
  readonly steps?: number;
  readonly cycleEnd?: (n: number) => number;
}

/**
 * Join a rate function to its specification, or to a function that makes it (or throws, where there
 * is none). The way to a schedule of one's own:
 *
 *   const halving = defineSchedule((t) => 0.1 / 2 ** Math.floor(t / 100), { type: "halving" });
 */
export function defineSchedule(
  rate: (t: number) => number,
  spec: ScheduleSpec | (() => ScheduleSpec),
  { steps = Number.POSITIVE_INFINITY, cycleEnd }: ScheduleTraits = {},
): Schedule {
  const toJSON = typeof spec === "function" ? spec : () => spec;
  return Object.assign((t: number) => rate(t), {
    steps,
    toJSON,
    ...(cycleEnd ? { cycleEnd } : {}),
  });
}
