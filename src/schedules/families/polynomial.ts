/** @file A decay (or rise) along a power of what is left of the run. */

import { checkNonNegative, checkPositive, checkPositiveInteger } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

export interface PolynomialOptions {
  /** Rate of the first update. */
  readonly from: number;
  /** Rate from update `steps` on; default 0. */
  readonly to?: number;
  /** Length, in updates. */
  readonly steps: number;
  /** 1 (the default) is a straight line, 2 steep at first. */
  readonly power?: number;
}

/**
 * `to + (from - to) (1 - min(t / steps, 1))^power`, then flat.
 *
 * torch's PolynomialLR (to = 0), optax's polynomial_schedule; the "poly" policy of Caffe.
 * @throws ArgumentError if a rate is negative, steps is not a positive integer, or power is not above 0.
 */
export function polynomial({ from, to = 0, steps, power = 1 }: PolynomialOptions): Schedule {
  checkNonNegative("polynomial", "from", from);
  checkNonNegative("polynomial", "to", to);
  checkPositiveInteger("polynomial", "steps", steps);
  checkPositive("polynomial", "power", power);
  return defineSchedule(
    (t) => to + (from - to) * (1 - Math.min(t / steps, 1)) ** power,
    { type: "polynomial", from, to, steps, power },
    { steps, nextTurn: turnsAt([steps]) },
  );
}
