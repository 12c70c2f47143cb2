/** @file The same ratio from each update to the next. */

import { checkPositive, checkPositiveInteger } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

export interface ExponentialOptions {
  /** Rate of the first update. */
  readonly rate: number;
  /** What the rate is multiplied by over `every` updates. Above 1 it rises: a range test's ramp. */
  readonly factor: number;
  /** Updates that `factor` is spread over; default 1. */
  readonly every?: number;
}

/**
 * `rate factor^(t / every)`, without an end; `clip` gives it a least rate, `stepDecay` is its
 * staircase.
 *
 * torch's ExponentialLR (every = 1), optax's exponential_decay (transition_steps = every).
 * @throws ArgumentError if rate or factor is not above 0, or every is not a positive integer.
 */
export function exponential({ rate, factor, every = 1 }: ExponentialOptions): Schedule {
  checkPositive("exponential", "rate", rate);
  checkPositive("exponential", "factor", factor);
  checkPositiveInteger("exponential", "every", every);
  return defineSchedule(
    (t) => rate * factor ** (t / every),
    { type: "exponential", rate, factor, every },
    { nextTurn: turnsAt([]) },
  );
}
