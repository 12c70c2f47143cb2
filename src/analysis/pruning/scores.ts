/** @file An arm at a rung: what all its seeds together have reached by that epoch. */

import { at } from "../../core/at.ts";
import { greatestOf } from "../../core/extremes.ts";
import type { EpochMetrics, TrialHistory } from "../../record/index.ts";
import { mean } from "../statistics/statistics.ts";

/** An arm of which every seed has come to a rung, or has ended before it. */
export interface ArmAtRung {
  readonly arm: string;
  readonly seeds: readonly number[];
  /** Mean over the seeds of the latest validation accuracy by then; null where a seed has none, or diverged. */
  readonly score: number | null;
  /** The best so far of the seeds' mean curve, and its running average; null as above. */
  readonly best: number | null;
  readonly average: number | null;
}

/** Whether a trial has nothing more to do before an epoch: it has come there, or has ended. */
const isThere = ({ trial, metrics }: TrialHistory, epoch: number): boolean =>
  trial.status !== "failed" &&
  (metrics.length >= epoch || trial.status === "done" || trial.status === "diverged");

/**
 * An arm after so many epochs; null where a seed has not come there yet, or has failed. Seeds count in their order,
 * so that the sums have the same bits whichever came first.
 * @param trials of the arm, whichever of them there are
 */
export function armAtRung(
  arm: string,
  trials: readonly TrialHistory[],
  { epoch, seeds }: { readonly epoch: number; readonly seeds: readonly number[] },
): ArmAtRung | null {
  const curves: number[][] = [];
  for (const seed of seeds) {
    const history = trials.find(({ trial }) => trial.seed === seed);
    if (!history || !isThere(history, epoch)) return null;
    const { trial, metrics } = history;
    const diverged = trial.divergence !== null && trial.divergence.epoch <= epoch;
    curves.push(diverged ? [] : curveOf(metrics.slice(0, epoch)));
  }
  const judged = { arm, seeds: [...seeds] };
  if (curves.some((curve) => curve.length === 0))
    return { ...judged, score: null, best: null, average: null };
  const length = Math.max(...curves.map((curve) => curve.length));
  // A seed that ended before, at its target say, stays where it was.
  const together = Array.from({ length }, (_, i) =>
    mean(curves.map((curve) => at(curve, Math.min(i, curve.length - 1), "curve"))),
  );
  return {
    ...judged,
    score: at(together, -1, "together"),
    best: greatestOf(together),
    average: mean(together),
  };
}

/** Accuracies of the epochs that were validated. */
const curveOf = (metrics: readonly EpochMetrics[]): number[] =>
  metrics.flatMap(({ validationAccuracy }) => validationAccuracy ?? []);
