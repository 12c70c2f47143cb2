/** @file SGDR: cosine decay that starts again at the peak, each cycle longer by a factor. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { checkFloorAndPeak, halfCosine } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { updateAfter } from "../turns.ts";

export interface CosineRestartsOptions {
  /** Rate at the start of each cycle. */
  readonly peak: number;
  /** Rate that each cycle falls to; default 0. */
  readonly floor?: number;
  /** Length of the first cycle, in updates: T_0. */
  readonly cycleSteps: number;
  /** Each cycle is as many times as long as the one before: T_mult, 1 or more; default 1. */
  readonly growth?: number;
}

/** The guessed cycle is off by one or two; past 2^53 updates there is no next one to be told apart. */
const LOOKS = 8;

/**
 * Cosine decay with warm restarts. In cycle i, `T_i = cycleSteps growth^i` updates long, `s` updates
 * after its start:
 *
 *   lr = floor + (peak - floor) (1 + cos(pi s / T_i)) / 2
 *
 * The update at which a cycle ends is the first of the next, and has the peak. Source: Loshchilov
 * and Hutter, "SGDR", ICLR 2017, equation 5; arxiv.org/abs/1608.03983. torch's
 * CosineAnnealingWarmRestarts, which takes a whole T_mult only.
 * @throws ArgumentError if a rate is negative, floor is above peak, cycleSteps is not a positive
 * integer, or growth is below 1.
 */
export function cosineRestarts(options: CosineRestartsOptions): Schedule {
  const { peak, floor = 0, cycleSteps, growth = 1 } = options;
  checkFloorAndPeak("cosineRestarts", floor, peak);
  checkPositiveInteger("cosineRestarts", "cycleSteps", cycleSteps);
  if (!(growth >= 1 && Number.isFinite(growth)))
    throw new ArgumentError(`cosineRestarts: growth must be a number, 1 or more; got ${growth}`);
  const startOf = (cycle: number) => {
    if (growth === 1) return cycle * cycleSteps;
    const start = (cycleSteps * (growth ** cycle - 1)) / (growth - 1);
    // The product of the two may be too great for a number where the quotient is not.
    return Number.isFinite(start) ? start : cycleSteps * ((growth ** cycle - 1) / (growth - 1));
  };
  return defineSchedule(
    (t) => {
      const cycle = cycleAt(t);
      return halfCosine(peak, floor, (t - startOf(cycle)) / (cycleSteps * growth ** cycle));
    },
    { type: "cosineRestarts", peak, floor, cycleSteps, growth },
    { cycleEnd: startOf, nextTurn },
  );

  function nextTurn(t: number): number {
    const restart = startOf(cycleAt(t) + 1);
    return restart > t ? restart : updateAfter(t);
  }

  function cycleAt(t: number): number {
    if (growth === 1) return Math.floor(t / cycleSteps);
    if (!Number.isFinite(t)) return 0;
    const grown = (t / cycleSteps) * (growth - 1);
    const guess = Math.log1p(Math.min(grown, Number.MAX_VALUE)) / Math.log(growth);
    // Rounding puts the logarithm on either side of a whole number at a restart: look again.
    let cycle = Math.max(0, Math.floor(guess) - 1);
    for (let looks = 0; looks < LOOKS && startOf(cycle + 1) <= t; looks++) cycle += 1;
    return cycle;
  }
}
