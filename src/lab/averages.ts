/** @file Averages of weights over a run, and the ends of a schedule's cycles, at which they are taken. */

import { checkHalfOpen, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { exponentialWeight } from "../optimizers/index.ts";
import type { WeightAverage } from "../record/index.ts";
import type { Schedule } from "../schedules/index.ts";

/** Without cycles, stochastic weight averaging begins after this part of the run. */
const SWA_START = 0.75;

export interface Run {
  readonly schedule: Schedule;
  /** Updates in all. */
  readonly updates: number;
  readonly updatesPerEpoch: number;
}

/**
 * Updates made when a cycle ends: after the one whose rate is least before it rises again, and at the
 * end of the run. Without such a rise there is no cycle, and the list is empty.
 */
export function cycleEnds({ schedule, updates }: Pick<Run, "schedule" | "updates">): number[] {
  const ends: number[] = [];
  let falling = false;
  for (let t = 0; t + 1 < updates; t++) {
    const [rate, next] = [schedule(t), schedule(t + 1)];
    if (next < rate) falling = true;
    else if (next > rate && falling) {
      ends.push(t + 1);
      falling = false;
    }
  }
  return ends.length > 0 || (falling && updates > 0 && rises(schedule, updates))
    ? [...ends, updates]
    : [];
}

/** Whether the rate rises at all: one cycle, up and down, is a cycle. */
function rises(schedule: Schedule, updates: number): boolean {
  for (let t = 0; t + 1 < updates; t++) if (schedule(t + 1) > schedule(t)) return true;
  return false;
}

/**
 * Share of each update's weights in the average.
 * - ema: an exponential mean of every update's, with bias correction
 * - swa: the mean of those at the ends of cycles; without cycles, of those at the ends of the epochs of
 *   the last quarter of the run (Izmailov et al. 2018, arxiv.org/abs/1803.05407)
 * @throws ArgumentError for a decay outside [0, 1)
 */
export function averageWeights(average: WeightAverage, run: Run): (update: number) => number {
  if (average.kind === "ema") {
    const { decay } = average;
    checkHalfOpen("average", "decay", decay, 0, 1);
    return (update) => exponentialWeight(decay, update + 1);
  }
  const share = new Map(averagedMoments(run).map((made, i) => [made - 1, 1 / (i + 1)]));
  return (update) => share.get(update) ?? 0;
}

/** Updates made at the moments of stochastic weight averaging. */
function averagedMoments(run: Run): number[] {
  const ends = cycleEnds(run);
  if (ends.length > 0) return ends;
  const { updates, updatesPerEpoch } = run;
  const epochs = Math.ceil(updates / updatesPerEpoch);
  return Array.from({ length: epochs }, (_, i) =>
    Math.min(updates, (i + 1) * updatesPerEpoch),
  ).filter((made) => made > SWA_START * updates || made === updates);
}

/** Updates made when there is something in the average: before, it is the initial weights. */
export const averageBegins = (average: WeightAverage, run: Run): number =>
  average.kind === "ema" ? 1 : averagedMoments(run)[0]!;

/**
 * Epochs after which a snapshot is taken: those at which a cycle ends, give or take an update.
 * @throws ArgumentError where the schedule has no cycles, or they end within epochs
 */
export function snapshotEpochs(run: Run): number[] {
  const { updatesPerEpoch } = run;
  checkPositiveInteger("snapshots", "updatesPerEpoch", updatesPerEpoch);
  const ends = cycleEnds(run);
  if (ends.length === 0)
    throw new ArgumentError(
      "snapshots: are taken at the ends of a schedule's cycles, and this one has none; use a cyclical schedule such as clr, with --step-size 2e",
    );
  return ends.map((made) => {
    const epoch = Math.round(made / updatesPerEpoch);
    if (epoch < 1 || Math.abs(made - epoch * updatesPerEpoch) > 1)
      throw new ArgumentError(
        `snapshots: a cycle must end with an epoch; one ends after update ${made}, where an epoch has ${updatesPerEpoch}. Give the step size in epochs, as in --step-size 2e`,
      );
    return epoch;
  });
}
