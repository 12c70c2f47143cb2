/** @file Half a cosine, from a peak down to a floor. */

import { checkNonNegative, checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { defineSchedule, type Schedule } from "./schedule.ts";

export interface CosineDecayOptions {
  /** Rate of the first update. */
  readonly peak: number;
  /** Rate from update `steps` on; default 0. */
  readonly floor?: number;
  /** Length, in updates. */
  readonly steps: number;
}

/**
 * Half a cosine from `peak` to `floor` over `steps` updates, then flat:
 *
 *   lr = floor + (peak - floor) (1 + cos(pi min(t / steps, 1))) / 2
 *
 * Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5; arxiv.org/abs/1608.03983.
 * @throws ArgumentError if a rate is negative, floor is above peak, or steps is not a positive integer.
 */
export function cosineDecay({ peak, floor = 0, steps }: CosineDecayOptions): Schedule {
  checkPositive("cosineDecay", "peak", peak);
  checkNonNegative("cosineDecay", "floor", floor);
  checkPositiveInteger("cosineDecay", "steps", steps);
  if (floor > peak)
    throw new ArgumentError(
      `cosineDecay: floor must not be above peak; got floor ${floor}, peak ${peak}`,
    );
  return defineSchedule(
    (t) => floor + ((peak - floor) * (1 + Math.cos(Math.PI * Math.min(t / steps, 1)))) / 2,
    { type: "cosineDecay", peak, floor, steps },
  );
}
