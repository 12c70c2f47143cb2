/** @file Warm-up, stable, decay: WSD, or the trapezoidal schedule. */

import {
  checkNonNegative,
  checkNonNegativeInteger,
  checkPositiveInteger,
} from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { checkChoice, checkFloorAndPeak, line } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

const DECAYS = {
  linear: line,
  sqrt: (from: number, to: number, done: number) => to + (from - to) * (1 - Math.sqrt(done)),
} as const;

export interface TrapezoidalOptions {
  /** Rate of the stable part. */
  readonly peak: number;
  /** Length of the whole run, in updates. */
  readonly steps: number;
  /** Updates of the linear warm-up at the start; default 0, none. */
  readonly warmupSteps?: number;
  /** Updates of the decay at the end; 0 for none. */
  readonly decaySteps: number;
  /** Rate of the first update, where there is a warm-up; default 0. */
  readonly from?: number;
  /** Rate from update `steps` on; default 0. */
  readonly floor?: number;
  /** Form of the decay: a straight line (the default), or 1 - sqrt, steep at first. */
  readonly decay?: keyof typeof DECAYS;
}

/**
 * Linear from `from` up to `peak`, stable, then down to `floor` at update `steps`, then flat. Of
 * W = warmupSteps, D = decaySteps, and p = (t - (steps - D)) / D:
 *
 *   t < W:          from + (peak - from) t / W
 *   t < steps - D:  peak
 *   linear:         peak + (floor - peak) p
 *   sqrt:           floor + (peak - floor) (1 - sqrt(p))
 *
 * A run that goes on from a checkpoint of the stable part only gives another `steps`.
 * Source: Hu et al., "MiniCPM" (WSD; its own decay is exponential, a sequence of trapezoidal and
 * exponential here); arxiv.org/abs/2404.06395. Haegele et al.,
 * "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations" (1 - sqrt);
 * arxiv.org/abs/2405.18392.
 * @throws ArgumentError if a rate is negative, floor or from is above peak, a length is not an
 * integer, or warm-up and decay together are longer than the run.
 */
export function trapezoidal(options: TrapezoidalOptions): Schedule {
  const { peak, steps, warmupSteps = 0, decaySteps, from = 0, floor = 0 } = options;
  const { decay = "linear" } = options;
  checkFloorAndPeak("trapezoidal", floor, peak);
  checkPositiveInteger("trapezoidal", "steps", steps);
  checkNonNegativeInteger("trapezoidal", "warmupSteps", warmupSteps);
  checkNonNegativeInteger("trapezoidal", "decaySteps", decaySteps);
  checkNonNegative("trapezoidal", "from", from);
  checkChoice("trapezoidal", "decay", decay, Object.keys(DECAYS) as (keyof typeof DECAYS)[]);
  if (from > peak)
    throw new ArgumentError(
      `trapezoidal: from must not be above peak; got from ${from}, peak ${peak}`,
    );
  const falls = steps - decaySteps;
  if (warmupSteps > falls)
    throw new ArgumentError(
      `trapezoidal: warmupSteps and decaySteps must fit into steps; got ${warmupSteps} + ${decaySteps} of ${steps}`,
    );
  const form = DECAYS[decay];
  return defineSchedule(
    (t) => {
      if (t < warmupSteps) return line(from, peak, t / warmupSteps);
      // Without a decay the run ends at the peak, and stays there.
      if (t <= falls || decaySteps === 0) return peak;
      return form(peak, floor, Math.min((t - falls) / decaySteps, 1));
    },
    { type: "trapezoidal", peak, steps, warmupSteps, decaySteps, from, floor, decay },
    { steps, nextTurn: turnsAt([warmupSteps, falls, steps]) },
  );
}
