/** @file What a schedule is: a pure function of the update count that can be written down. */

/**
 * A schedule written down as plain JSON, `{ type: "triangular", ... }`. Lengths are in updates.
 * The same shape as record's `scheduleSpec`.
 */
export type ScheduleSpec = { [field: string]: unknown; type: string };

/**
 * The learning rate of update `t`; `t` counts from 0, so that `schedule(0)` is what the first
 * update uses. Pure: any `t` may be asked for, in any order. `JSON.stringify` of a schedule, or of
 * an object that holds one, writes its specification, and `scheduleFromJSON` reads it back.
 */
export type Schedule = ((t: number) => number) & { toJSON(): ScheduleSpec };

/** Join a rate function to its specification. */
export function defineSchedule(rate: (t: number) => number, spec: ScheduleSpec): Schedule {
  return Object.assign((t: number) => rate(t), { toJSON: () => spec });
}
