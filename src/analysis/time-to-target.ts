/** @file How long an arm takes to a validation accuracy, and which accuracies to ask for. */

import { at } from "../core/at.ts";
import type { EpochMetrics, TimeToTarget, TrialHistory, TrialRecord } from "../record/index.ts";

/** First epoch at or above `target`, and the seconds until its end; null where it is never reached. */
export function reach(
  metrics: readonly EpochMetrics[],
  target: number,
): { epoch: number; seconds: number } | null {
  let seconds = 0;
  for (const line of metrics) {
    seconds += line.seconds;
    if (line.validationAccuracy !== null && line.validationAccuracy >= target)
      return { epoch: line.epoch, seconds };
  }
  return null;
}

/**
 * One arm's trials against one target. A miss is later than every hit; it is never averaged away.
 * A trial that has not ended and is not there yet is open: neither.
 */
export function timeToTarget(trials: readonly TrialHistory[], target: number): TimeToTarget {
  const hits = trials.map(({ metrics }) => reach(metrics, target));
  const epochs = hits.map((hit) => hit?.epoch ?? null);
  const seconds = hits.map((hit) => hit?.seconds ?? null);
  const open = trials.map(({ trial }, i) => !hits[i] && !hasEnded(trial));
  const settled = (values: readonly (number | null)[]) => values.filter((_, i) => !open[i]);
  const openSeeds = trials.flatMap(({ trial }, i) => (open[i] ? [trial.seed] : []));
  return {
    target,
    epochs,
    seconds,
    reached: hits.filter((hit) => hit !== null).length,
    ...(openSeeds.length > 0 ? { openSeeds } : {}),
    medianEpochs: medianOrMiss(settled(epochs)),
    medianSeconds: medianOrMiss(settled(seconds)),
  };
}

/** One whose arm was pruned at a rung might have come there later: it is no miss. */
const hasEnded = ({ status, rung }: TrialRecord) =>
  !["running", "interrupted", "paused"].includes(status) && rung === undefined;

/** Middle value, misses sorted last; null where the middle, or half of it, is a miss. */
function medianOrMiss(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const middle =
    (at(sorted, Math.floor((sorted.length - 1) / 2), "sorted") +
      at(sorted, Math.floor(sorted.length / 2), "sorted")) /
    2;
  return Number.isFinite(middle) ? middle : null;
}

/** Parts of the way from guessing to the best arm's best. */
const WAYS = [0.5, 0.75, 0.9, 0.97] as const;

/**
 * Targets that tell the arms apart: half, three quarters, nine tenths and 97% of the way from
 * guessing the commonest class to the greatest of the arms' mean best accuracies, each rounded down
 * to a round number (steps of 0.05, of 0.01 where the way is shorter than 0.3). Ascending; none
 * where no arm did better than guessing.
 */
export function chooseTargets(guess: number, best: number): number[] {
  const way = best - guess;
  if (!(way > 0)) return [];
  const steps = way < 0.3 ? 100 : 20;
  const targets = WAYS.map((part) => Math.floor((guess + part * way) * steps + 1e-9) / steps);
  return [...new Set(targets)].filter((target) => target > guess);
}
