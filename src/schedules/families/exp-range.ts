/** @file The triangular policy that decays exponentially with each update. */

import { ArgumentError } from "../../core/errors.ts";
import { checkChoice } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { type TriangularOptions, triangle } from "./triangle.ts";

const DECAYS = ["amplitude", "bounds"] as const;

export interface ExpRangeOptions extends TriangularOptions {
  /** Decay of an update, in (0, 1]; 0.99994 for instance. */
  readonly gamma: number;
  /**
   * What decays: the distance from base to the peak alone ("amplitude", the default, as in torch
   * and Keras), or both bounds ("bounds", as the paper words it).
   */
  readonly decay?: (typeof DECAYS)[number];
}

/**
 * As `triangular`, decaying by `gamma` at each update `t`, counted from the start of the run and not
 * of the cycle. Two readings are in use:
 *
 *   amplitude:  lr = base + (max - base) height(t) gamma^t
 *   bounds:     lr = (base + (max - base) height(t)) gamma^t
 *
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section
 * 3.1 ("each boundary value declines by an exponential factor"); mode "exp_range" of
 * torch.optim.lr_scheduler.CyclicLR (PyTorch 1.13) and of Keras's CLR callback decays the amplitude.
 * @throws ArgumentError as triangular does; if gamma is outside (0, 1]; if decay is another word.
 */
export function expRange(options: ExpRangeOptions): Schedule {
  const { base, max, gamma, decay = "amplitude" } = options;
  const { height, cycleEnd, turnsWith, fields } = triangle("expRange", options);
  if (!(gamma > 0 && gamma <= 1))
    throw new ArgumentError(`expRange: gamma must be above 0, and at most 1; got ${gamma}`);
  checkChoice("expRange", "decay", decay, DECAYS);
  // A rise of (a + b x) gamma^x, x from the cycle's start, is greatest at x = -1 / ln gamma - a / b.
  const risen = -1 / Math.log(gamma);
  const sooner = decay === "bounds" ? (base * fields.stepSize) / (max - base) : 0;
  return defineSchedule(
    decay === "amplitude"
      ? (t) => base + (max - base) * height(t) * gamma ** t
      : (t) => (base + (max - base) * height(t)) * gamma ** t,
    { type: "expRange", ...fields, gamma, decay },
    { cycleEnd, nextTurn: turnsWith(risen - sooner) },
  );
}
