/** @file A drop by the same factor at equal distances. */

import { checkPositive, checkPositiveInteger } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

export interface StepDecayOptions {
  /** Rate of the first update. */
  readonly rate: number;
  /** What the rate is multiplied by at each drop; default 0.1. */
  readonly factor?: number;
  /** Updates between drops. */
  readonly every: number;
}

/**
 * `rate factor^floor(t / every)`, without an end: update `every` is the first with the next rate.
 *
 * torch's StepLR, optax's exponential_decay with staircase = True.
 * @throws ArgumentError if rate or factor is not above 0, or every is not a positive integer.
 */
export function stepDecay({ rate, factor = 0.1, every }: StepDecayOptions): Schedule {
  checkPositive("stepDecay", "rate", rate);
  checkPositive("stepDecay", "factor", factor);
  checkPositiveInteger("stepDecay", "every", every);
  return defineSchedule(
    (t) => rate * factor ** Math.floor(t / every),
    { type: "stepDecay", rate, factor, every },
    // Each drop is a jump, but in the same direction as all others.
    { nextTurn: turnsAt([]) },
  );
}
