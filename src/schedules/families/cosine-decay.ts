/** @file Half a cosine, from a peak down to a floor. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { checkFloorAndPeak } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

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
 * The closed form of torch's CosineAnnealingLR, which climbs again past its end; optax's
 * cosine_decay_schedule with alpha = floor / peak.
 * Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5; arxiv.org/abs/1608.03983.
 * @throws ArgumentError if a rate is negative, floor is above peak, or steps is not a positive integer.
 */
export function cosineDecay({ peak, floor = 0, steps }: CosineDecayOptions): Schedule {
  checkFloorAndPeak("cosineDecay", floor, peak);
  checkPositiveInteger("cosineDecay", "steps", steps);
  return defineSchedule(
    (t) => floor + (peak - floor) * ((1 + Math.cos(Math.PI * Math.min(t / steps, 1))) / 2),
    { type: "cosineDecay", peak, floor, steps },
    { steps, nextTurn: turnsAt([steps]) },
  );
}
