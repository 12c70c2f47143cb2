/** @file How long a study takes yet, from what its epochs took so far. */

import type { ExperimentRecord, TrialHistory } from "../record/index.ts";
import { mean } from "./statistics/statistics.ts";

export interface TimeLeftInput {
  readonly experiment: Pick<ExperimentRecord, "arms" | "protocol" | "specification">;
  readonly trials: readonly TrialHistory[];
  /** Arms that are not gone on with; default none. */
  readonly stopped?: ReadonlySet<string> | undefined;
}

const ENDED: readonly string[] = ["done", "diverged", "pruned"];

/**
 * Seconds until the trials are at their end: the epochs that are left, each as long as the mean of its arm's so far,
 * of an arm that has none as that of all, with as many trials at once as the study has jobs. An estimate: it knows
 * nothing of what comes after the trials, nor of arms that will diverge.
 * @returns null before an epoch has ended, and where none is left
 */
export function secondsLeft({
  experiment: { arms, protocol, specification },
  trials,
  stopped = new Set(),
}: TimeLeftInput): number | null {
  const own = trials.filter(({ trial }) => !stopped.has(trial.arm));
  const took = (of: readonly TrialHistory[]) =>
    of.flatMap(({ metrics }) => metrics.map(({ seconds }) => seconds));
  const all = took(own);
  if (all.length === 0) return null;
  const usual = mean(all);
  const { epochs, seeds } = protocol;
  let left = 0;
  for (const { name } of arms) {
    if (stopped.has(name)) continue;
    const begun = own.filter(({ trial }) => trial.arm === name);
    const spent = begun.map(({ trial, metrics }) =>
      ENDED.includes(trial.status) ? epochs : Math.min(epochs, metrics.length),
    );
    const open = seeds.length * epochs - spent.reduce((a, b) => a + b, 0);
    const seconds = took(begun);
    left += open * (seconds.length > 0 ? mean(seconds) : usual);
  }
  return left > 0 ? left / (specification?.jobs ?? 1) : null;
}
