/** @file What was pruned of an experiment, rung by rung: from the records of its trials alone. */

import type { ExperimentRecord, PruningSummary, TrialHistory } from "../../record/index.ts";

/**
 * The rungs at which arms ended; null where none did and the study does not prune. An arm has entered a rung that a
 * trial of it has come to; one that diverged on its way has not.
 */
export function pruningSummary(
  { arms, protocol }: ExperimentRecord,
  trials: readonly TrialHistory[],
): PruningSummary | null {
  const { pruning } = protocol;
  const names = arms.map(({ name }) => name);
  const ended = new Map<string, { rung: number; epoch: number }>();
  for (const { trial, metrics } of trials)
    if (trial.status === "pruned" && trial.rung !== undefined)
      ended.set(trial.arm, {
        rung: trial.rung,
        epoch: Math.max(metrics.length, ended.get(trial.arm)?.epoch ?? 0),
      });
  if (!pruning && ended.size === 0) return null;
  const rungs = [...new Map([...ended.values()].map((at) => [at.rung, at])).values()]
    .sort((a, b) => a.rung - b.rung)
    .map(({ rung, epoch }) => ({
      ...{ rung, epoch },
      entered: names.filter((name) =>
        trials.some(({ trial, metrics }) => trial.arm === name && metrics.length >= epoch),
      ).length,
      pruned: names.filter((name) => ended.get(name)?.rung === rung),
    }));
  return { ...(pruning ? { pruning } : {}), rungs };
}
