/** @file Averages of weights over a run, and the ends of a schedule's cycles, at which they are taken. */

import { checkHalfOpen, checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { exponentialWeight } from "../../optimizers/index.ts";
import type { WeightAverage } from "../../record/index.ts";
import type { Schedule } from "../../schedules/index.ts";
import { turningUpdates } from "../../schedules/turns.ts";

/** Without cycles, stochastic weight averaging begins after this part of the run. */
const SWA_START = 0.75;

export interface Run {
  readonly schedule: Schedule;
  /** Updates in all. */
  readonly updates: number;
  readonly updatesPerEpoch: number;
}

/** Turns of the rate that are looked for, and kept: 50,000 cycles of a run. */
const MOST_TURNS = 200_000;

/**
 * Updates made when a cycle ends: after the one whose rate is least before it rises again, and at the
 * end of the run. Without such a rise there is no cycle, and the list is empty: a warm-up before a fall is
 * none, so that every list has two ends or more.
 * @throws ArgumentError where the run has more than about 50,000 cycles; or more than 200,000 updates, on
 *   a schedule of one's own that does not say where it turns
 */
export function cycleEnds({ schedule, updates }: Pick<Run, "schedule" | "updates">): number[] {
  if (updates < 1) return [];
  const looked = turningUpdates(schedule, { from: 0, to: updates - 1, most: MOST_TURNS });
  if (!looked.whole)
    throw new ArgumentError(
      `cycles: a run of ${updates} updates turns its rate too often for the ends of its cycles to be kept, of which there may be ${MOST_TURNS / 4} at most; lower --epochs, or raise --step-size`,
    );
  const ends: number[] = [];
  let falling = false;
  for (const [i, to] of looked.updates.entries()) {
    const from = looked.updates[i - 1] ?? to;
    const change = schedule(to) - schedule(from);
    if (change < 0) falling = true;
    if (change > 0 && falling) {
      ends.push(firstAbove(schedule, from, to));
      falling = false;
    }
  }
  return ends.length > 0 ? [...ends, updates] : [];
}

/** The first update whose rate is above that of `from`, where it only rises up to `to`; by halves. */
function firstAbove(schedule: Schedule, from: number, to: number): number {
  const least = schedule(from);
  let [before, above] = [from, to];
  while (above - before > 1) {
    const middle = before + Math.floor((above - before) / 2);
    if (schedule(middle) > least) above = middle;
    else before = middle;
  }
  return above;
}

/**
 * Share of each update's weights in the average.
 * - ema: an exponential mean of every update's, with bias correction
 * - swa: the mean of those at the ends of cycles; without cycles, of those at the ends of the epochs of
 *   the last quarter of the run (Izmailov et al. 2018, arxiv.org/abs/1803.05407), of the last two at least
 * @throws ArgumentError for a decay outside [0, 1), or swa of a single epoch without cycles, as one point is no average
 */
export function averageWeights(average: WeightAverage, run: Run): (update: number) => number {
  if (average.kind === "ema") {
    const { decay } = average;
    checkHalfOpen("average", "decay", decay, 0, 1);
    return (update) => exponentialWeight(decay, update + 1);
  }
  const ends = cycleEnds(run);
  if (ends.length === 0) {
    if (epochsOf(run) < 2)
      throw new ArgumentError(
        `average: swa is the mean of the weights at the ends of cycles or epochs, and this run has one; train for 2 epochs or more, or take --average ema`,
      );
    return tailShare(run);
  }
  const share = new Map(ends.map((made, i) => [made - 1, 1 / (i + 1)]));
  return (update) => share.get(update) ?? 0;
}

/** Of the ends of the last quarter's epochs, however many there are. */
function tailShare({ updates, updatesPerEpoch }: Run): (update: number) => number {
  const epochs = epochsOf({ updates, updatesPerEpoch });
  const first = firstTailEpoch({ updates, updatesPerEpoch });
  return (update) => {
    const made = update + 1;
    if (made !== updates && made % updatesPerEpoch !== 0) return 0;
    const epoch = made === updates ? epochs : made / updatesPerEpoch;
    return epoch < first || made > updates ? 0 : 1 / (epoch - first + 1);
  };
}

/** The last of them may be cut short. */
const epochsOf = ({ updates, updatesPerEpoch }: Omit<Run, "schedule">): number =>
  Math.ceil(updates / updatesPerEpoch);

/** The first epoch to end in the last quarter, or the last but one. */
function firstTailEpoch(run: Omit<Run, "schedule">): number {
  const first = Math.floor((SWA_START * run.updates) / run.updatesPerEpoch) + 1;
  return Math.max(1, Math.min(first, epochsOf(run) - 1));
}

/** Updates made when the average is one, of two points or more: before, it is other weights under another name. */
export function averageBegins(average: WeightAverage, run: Run): number {
  if (average.kind === "ema") return 1;
  return (
    cycleEnds(run)[1] ?? Math.min(run.updates, (firstTailEpoch(run) + 1) * run.updatesPerEpoch)
  );
}

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
