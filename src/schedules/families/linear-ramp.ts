/** @file A straight line between two rates: a linear decay, or a warm-up by hand. */

import { checkNonNegative, checkPositiveInteger } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

export interface LinearRampOptions {
  /** Rate of the first update. */
  readonly from: number;
  /** Rate from update `steps` on. */
  readonly to: number;
  /** Length, in updates. */
  readonly steps: number;
}

/**
 * `from + (to - from) min(t / steps, 1)`: reached at update `steps`, then flat. torch's LinearLR
 * with start_factor = from / rate, end_factor = to / rate. A warm-up as in Goyal et al., "Accurate,
 * Large Minibatch SGD", section 2.2; arxiv.org/abs/1706.02677.
 * @throws ArgumentError if a rate is negative or steps is not a positive integer.
 */
export function linearRamp({ from, to, steps }: LinearRampOptions): Schedule {
  checkNonNegative("linearRamp", "from", from);
  checkNonNegative("linearRamp", "to", to);
  checkPositiveInteger("linearRamp", "steps", steps);
  return defineSchedule(
    (t) => (t >= steps ? to : from + (to - from) * (t / steps)),
    { type: "linearRamp", from, to, steps },
    { steps, nextTurn: turnsAt([steps]) },
  );
}
