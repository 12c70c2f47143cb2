/** @file A warm-up, then a decay with the inverse square root of the update count. */

import { checkNonNegative, checkPositive, checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { line } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

export interface InverseSqrtOptions {
  /** The greatest rate, at update warmupSteps. */
  readonly peak: number;
  /** Updates before the decay. */
  readonly warmupSteps: number;
  /** Rate of the first update; default 0. `from: peak` is flat before the decay. */
  readonly from?: number;
}

/**
 * Linear from `from` to `peak` over `warmupSteps`, then without an end:
 *
 *   t < w:   from + (peak - from) t / w
 *   else:    peak sqrt(w / t)
 *
 * Source: Vaswani et al., "Attention Is All You Need", equation 3; arxiv.org/abs/1706.03762. There
 * peak = (d_model w)^-0.5 and updates count from 1: its rate at step n is this one's at t = n, from 0.
 * `from: peak` is the rule of Raffel et al., "T5", section 3.1.2: sqrt(w) / sqrt(max(t, w)), scaled.
 * @throws ArgumentError if peak is not above 0, from is negative or above peak, or warmupSteps is not
 * a positive integer.
 */
export function inverseSqrt({ peak, warmupSteps, from = 0 }: InverseSqrtOptions): Schedule {
  checkPositive("inverseSqrt", "peak", peak);
  checkPositiveInteger("inverseSqrt", "warmupSteps", warmupSteps);
  checkNonNegative("inverseSqrt", "from", from);
  if (from > peak)
    throw new ArgumentError(
      `inverseSqrt: from must not be above peak; got from ${from}, peak ${peak}`,
    );
  return defineSchedule(
    (t) =>
      t < warmupSteps ? line(from, peak, t / warmupSteps) : peak * Math.sqrt(warmupSteps / t),
    { type: "inverseSqrt", peak, warmupSteps, from },
    { nextTurn: turnsAt([warmupSteps]) },
  );
}
