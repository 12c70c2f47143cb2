/** @file From the records of an experiment's trials to its table of results. */

import type {
  EpochMetrics,
  ExperimentRecord,
  OptimizerSummary,
  SummaryRecord,
  TrialRecord,
} from "../record/index.ts";
import { greatestRate, scheduleFromJSON, scheduleTypes } from "../schedules/index.ts";
import { mean, median, spreadOf } from "./statistics.ts";

export interface MeasuredTrial {
  readonly trial: TrialRecord;
  readonly metrics: readonly EpochMetrics[];
}

const LAST_EPOCHS = 10;

/**
 * Final, best and last-10-epoch validation accuracy of each arm that has a trial, arms in the
 * experiment's order, seeds ascending. Final and last-10 are of trials that are done: one that
 * diverged or was cut short has null there, for its last epoch is not the others' last; its best
 * epoch counts as far as it came.
 */
export function summarize(
  experiment: ExperimentRecord,
  trials: readonly MeasuredTrial[],
): SummaryRecord {
  const optimizers = experiment.arms.flatMap((arm) => {
    const own = trials
      .filter(({ trial }) => trial.arm === arm.name)
      .sort((a, b) => a.trial.seed - b.trial.seed);
    return own.length === 0 ? [] : [summarizeArm(arm.name, own)];
  });
  return {
    formatVersion: 1,
    optimizers,
    dataset: experiment.dataset.name,
    model: experiment.model.name,
    protocol: experiment.protocol,
  };
}

function summarizeArm(name: string, trials: readonly MeasuredTrial[]): OptimizerSummary {
  const times = trials.map(({ trial }) => trial.msPerStep).filter((ms) => ms !== null);
  return {
    name,
    learningRates: trials.map(greatestRateOf).filter((rate) => rate !== null),
    seeds: trials.map(({ trial }) => trial.seed),
    finalValidationAccuracy: spreadOf(trials.map(finalAccuracy)),
    bestValidationAccuracy: spreadOf(trials.map(bestAccuracy)),
    last10ValidationAccuracy: spreadOf(trials.map(lastAccuracy)),
    msPerStep: times.length === 0 ? null : median(times),
    diverged: trials.filter(({ trial }) => trial.status === "diverged").length,
  };
}

const finalAccuracy = ({ trial, metrics }: MeasuredTrial) =>
  trial.status === "done" ? (metrics.at(-1)?.validationAccuracy ?? null) : null;

function bestAccuracy({ metrics }: MeasuredTrial): number | null {
  const values = accuracies(metrics);
  return values.length === 0 ? null : Math.max(...values);
}

function lastAccuracy({ trial, metrics }: MeasuredTrial): number | null {
  const values = accuracies(metrics.slice(-LAST_EPOCHS));
  return trial.status === "done" && values.length > 0 ? mean(values) : null;
}

const accuracies = (metrics: readonly EpochMetrics[]) =>
  metrics.map((line) => line.validationAccuracy).filter((value) => value !== null);

/** The greatest rate that the trial's schedule has over its updates; null where it cannot be known. */
function greatestRateOf({ trial, metrics }: MeasuredTrial): number | null {
  // A record of another version may name a schedule that this one does not know.
  if (scheduleTypes.includes(trial.schedule.type)) {
    const updates = Math.max(1, Math.round(trial.epochs * trial.updatesPerEpoch));
    return greatestRate(scheduleFromJSON(trial.schedule), updates);
  }
  const rates = metrics.map((line) => line.lr);
  return rates.length === 0 ? null : Math.max(...rates);
}
