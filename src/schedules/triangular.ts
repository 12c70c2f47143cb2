/** @file The triangular policy of cyclical learning rates. */

import { checkNonNegative, checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { defineSchedule, type Schedule } from "./schedule.ts";

export interface TriangularOptions {
  /** Rate at the start of a cycle, its least. */
  readonly base: number;
  /** Rate half way through a cycle, its greatest. */
  readonly max: number;
  /** Half a cycle, in updates. */
  readonly stepSize: number;
}

/**
 * Linear from `base` up to `max` over `stepSize` updates, down again over as many, and so on:
 *
 *   cycle = floor(1 + t / (2 stepSize))     x = |t / stepSize - 2 cycle + 1|
 *   lr = base + (max - base) max(0, 1 - x)
 *
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, the
 * listing of section 3.1; arxiv.org/abs/1506.01186.
 * @throws ArgumentError if base is negative, max is not above 0 or below base, or stepSize is not a
 * positive integer.
 */
export function triangular({ base, max, stepSize }: TriangularOptions): Schedule {
  checkNonNegative("triangular", "base", base);
  checkPositive("triangular", "max", max);
  checkPositiveInteger("triangular", "stepSize", stepSize);
  if (base > max)
    throw new ArgumentError(`triangular: base must not be above max; got base ${base}, max ${max}`);
  return defineSchedule(
    (t) => {
      const cycle = Math.floor(1 + t / (2 * stepSize));
      const x = Math.abs(t / stepSize - 2 * cycle + 1);
      return base + (max - base) * Math.max(0, 1 - x);
    },
    { type: "triangular", base, max, stepSize },
  );
}
