/**
 * @file When a trial ends, told after each epoch and nowhere else: by epochs, time, target, patience, or
 * by what the other trials of its seed have reached.
 */

import { median } from "../analysis/index.ts";
import { greatestOf } from "../core/extremes.ts";
import type { Ends, EpochMetrics } from "../record/index.ts";

/** What a trial may spend. */
export interface Budget extends Ends {
  readonly epochs: number;
}

/** Why a trial is over; "epochs": it ran to its end. */
export type End = "epochs" | "time" | "target accuracy" | "early stopping" | "pruned";

/** Others with fewer than so many trials to compare with are no median. */
const LEAST_OTHERS = 2;

/**
 * Why a trial with these finished epochs is over; null: it goes on. A function of the records alone, so
 * that a resumed trial ends where it would have ended. (One that diverges ends at once, whatever its
 * budget.)
 * @param others the finished epochs of other trials of the same seed
 */
export function endOf(
  { epochs, time, targetAccuracy, earlyStopping, prune }: Budget,
  done: readonly EpochMetrics[],
  others: readonly (readonly EpochMetrics[])[] = [],
): End | null {
  const best = bestOf(done);
  if (targetAccuracy !== undefined && best !== null && best >= targetAccuracy)
    return "target accuracy";
  if (done.length >= epochs) return "epochs";
  if (time !== undefined && secondsOf(done) >= time) return "time";
  if (earlyStopping !== undefined && sinceBest(done) >= earlyStopping) return "early stopping";
  if (prune !== undefined && done.length >= prune && best !== null) {
    // At the same epoch, of those that came so far.
    const theirs = others
      .filter((metrics) => metrics.length >= done.length)
      .map((metrics) => bestOf(metrics.slice(0, done.length)))
      .filter((value) => value !== null);
    if (theirs.length >= LEAST_OTHERS && best < median(theirs)) return "pruned";
  }
  return null;
}

/** Whether the epoch under way, after these finished ones, is validated. */
export const isEvaluated = (
  { epochs, time, evalEvery = 1 }: Budget,
  done: readonly EpochMetrics[],
  seconds: number,
): boolean =>
  (done.length + 1) % evalEvery === 0 ||
  done.length + 1 >= epochs ||
  (time !== undefined && secondsOf(done) + seconds >= time);

const secondsOf = (done: readonly EpochMetrics[]) =>
  done.reduce((sum, { seconds }) => sum + seconds, 0);

const accuraciesOf = (done: readonly EpochMetrics[]) =>
  done.map(({ validationAccuracy }) => validationAccuracy).filter((value) => value !== null);

function bestOf(done: readonly EpochMetrics[]): number | null {
  const values = accuraciesOf(done);
  return values.length === 0 ? null : greatestOf(values);
}

/** Validations since the first with the highest accuracy. */
function sinceBest(done: readonly EpochMetrics[]): number {
  const values = accuraciesOf(done);
  return values.length === 0 ? 0 : values.length - 1 - values.indexOf(greatestOf(values));
}
