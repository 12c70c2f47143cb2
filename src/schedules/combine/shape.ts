/** @file Ways from one rate to another, and the checks that several families share. */

import { checkNonNegative, checkPositive } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { shown } from "../../core/shown.ts";

/** `from` at done = 0, `to` at done = 1, to the bit; a straight line between. */
export const line = (from: number, to: number, done: number): number =>
  done >= 1 ? to : from + (to - from) * done;

/** `from` at done = 0, `to` at done = 1; half a cosine between, level at both ends. */
export const halfCosine = (from: number, to: number, done: number): number =>
  to + (from - to) * ((1 + Math.cos(Math.PI * done)) / 2);

/** `from` at done = 0, `to` at done = 1; equal ratios between. Both above 0. */
export function geometric(from: number, to: number, done: number): number {
  if (done >= 1) return to;
  const ratio = to / from;
  // Of ends more than 308 decades apart the ratio is no number, though all rates between are.
  if (ratio > 0 && ratio < Infinity) return from * ratio ** done;
  return Math.exp(Math.log(from) * (1 - done) + Math.log(to) * done);
}

/** @throws ArgumentError unless floor is 0 or more, peak above 0, and floor not above peak. */
export function checkFloorAndPeak(subject: string, floor: number, peak: number): void {
  checkPositive(subject, "peak", peak);
  checkNonNegative(subject, "floor", floor);
  if (floor > peak)
    throw new ArgumentError(
      `${subject}: floor must not be above peak; got floor ${floor}, peak ${peak}`,
    );
}

/** @throws ArgumentError unless value is one of `choices`. */
export function checkChoice<T extends string | number>(
  subject: string,
  name: string,
  value: T,
  choices: readonly T[],
): void {
  if (!choices.includes(value))
    throw new ArgumentError(
      `${subject}: ${name} must be ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}; got ${shown(value)}`,
    );
}

/**
 * The rate that a schedule comes to at the end of `steps` updates, for what is flat from there on:
 * that of update `steps`, unless the schedule jumps there. A cycle that starts again at its peak, or
 * one more drop, is not what a run that goes on too long should stay at.
 */
export function endRate(schedule: (t: number) => number, steps: number): number {
  const before = schedule(steps * (1 - 2 ** -50));
  const at = schedule(steps);
  const jump = Math.abs(at - before) > 1e-9 * Math.max(before, schedule(steps - 1));
  return jump ? before : at;
}
