/** @file One arm of an experiment: its trials' records as quantities over the seeds. */

import { greatestOf, leastOf } from "../core/extremes.ts";
import type {
  EpochMetrics,
  OptimizerSummary,
  Spread,
  TrialHistory,
  TrialRecord,
} from "../record/index.ts";
import { greatestRate, scheduleFromJSON, scheduleTypes } from "../schedules/index.ts";
import { spreadOf } from "./statistics/spread.ts";
import { mean, median } from "./statistics/statistics.ts";
import { timeToTarget } from "./time-to-target.ts";

const LAST_EPOCHS = 10;

/** What one trial has to say about one quantity; null where it does not come to it. */
type Reading = (trial: TrialHistory) => number | null;

/**
 * Final, last-10-epoch, gap and area are of trials that are done: one that diverged or was cut short
 * has null there, for its last epoch is not the others' last. Its best epoch and the targets that it
 * reached count as far as it came.
 */
export function summarizeArm(
  name: string,
  trials: readonly TrialHistory[],
  { targets, classes }: { targets: readonly number[]; classes: readonly string[] },
): OptimizerSummary {
  const over = (read: Reading): Spread => spreadOf(trials.map(read));
  const ofDone = (read: Reading): Spread =>
    over((measured) => (measured.trial.status === "done" ? read(measured) : null));
  const middle = (values: readonly (number | null | undefined)[]) => {
    const present = values.filter((value) => typeof value === "number");
    return present.length === 0 ? null : median(present);
  };
  const count = (...statuses: readonly TrialRecord["status"][]) =>
    trials.filter(({ trial }) => statuses.includes(trial.status)).length;
  return {
    name,
    learningRates: trials.map(greatestRateOf).filter((rate) => rate !== null),
    seeds: trials.map(({ trial }) => trial.seed),
    finalValidationAccuracy: ofDone(last("validationAccuracy")),
    bestValidationAccuracy: over(greatest("validationAccuracy")),
    last10ValidationAccuracy: ofDone(meanOfLast("validationAccuracy")),
    finalValidationLoss: ofDone(last("validationLoss")),
    bestValidationLoss: over(least("validationLoss")),
    last10ValidationLoss: ofDone(meanOfLast("validationLoss")),
    finalTrainAccuracy: ofDone(last("trainAccuracy")),
    generalisationGap: ofDone(gap),
    accuracyArea: ofDone(area),
    timeToTarget: targets.map((target) => timeToTarget(trials, target)),
    ...testScores(trials, classes),
    ...validationClasses(trials, classes),
    msPerStep: middle(trials.map(({ trial }) => trial.msPerStep)),
    optimizerShare: middle(trials.map(({ trial }) => trial.optimizerShare)),
    learningRateSources: [...new Set(trials.map(({ trial }) => trial.learningRateSource))],
    diverged: count("diverged"),
    failed: count("failed"),
    ...failuresOf(trials),
    ...(count("pruned") > 0 ? { pruned: count("pruned") } : {}),
    unfinished: count("running", "interrupted"),
  };
}

function failuresOf(trials: readonly TrialHistory[]): Pick<OptimizerSummary, "failures"> {
  const reasons = trials.flatMap(({ trial }) =>
    trial.status === "failed" ? [trial.failure ?? "no reason recorded"] : [],
  );
  return reasons.length === 0 ? {} : { failures: [...new Set(reasons)] };
}

type Field = "validationAccuracy" | "validationLoss" | "trainAccuracy";

/** Values of the epochs that have one: with `--eval-every`, not all do. */
const present = (metrics: readonly EpochMetrics[], field: Field) =>
  metrics.map((line) => line[field]).filter((value) => value !== null);

const last =
  (field: Field): Reading =>
  ({ metrics }) =>
    present(metrics, field).at(-1) ?? null;

const meanOfLast =
  (field: Field): Reading =>
  ({ metrics }) => {
    const values = present(metrics.slice(-LAST_EPOCHS), field);
    return values.length === 0 ? null : mean(values);
  };

const greatest =
  (field: Field): Reading =>
  ({ metrics }) => {
    const values = present(metrics, field);
    return values.length === 0 ? null : greatestOf(values);
  };

const least =
  (field: Field): Reading =>
  ({ metrics }) => {
    const values = present(metrics, field);
    return values.length === 0 ? null : leastOf(values);
  };

function gap(measured: TrialHistory): number | null {
  const [train, validation] = [last("trainAccuracy"), last("validationAccuracy")].map((read) =>
    read(measured),
  );
  return train == null || validation == null ? null : train - validation;
}

/** Mean height of the curve by trapezoids, epoch by epoch; of a single epoch its height. */
function area({ metrics }: TrialHistory): number | null {
  const points = metrics.flatMap(({ epoch, validationAccuracy }) =>
    validationAccuracy === null ? [] : [{ epoch, height: validationAccuracy }],
  );
  const [first, final] = [points[0], points.at(-1)];
  if (!first || !final) return null;
  if (points.length === 1) return first.height;
  const sum = points
    .slice(1)
    .reduce(
      (total, { epoch, height }, i) =>
        total + ((epoch - points[i]!.epoch) * (height + points[i]!.height)) / 2,
      0,
    );
  return sum / (final.epoch - first.epoch);
}

function testScores(
  trials: readonly TrialHistory[],
  classes: readonly string[],
): Partial<OptimizerSummary> {
  if (!trials.some(({ trial }) => trial.test)) return {};
  const over = (read: (test: NonNullable<TrialRecord["test"]>) => number | null | undefined) =>
    spreadOf(trials.map(({ trial }) => (trial.test ? (read(trial.test) ?? null) : null)));
  return {
    testAccuracy: over(({ accuracy }) => accuracy),
    testBalancedAccuracy: over(({ balancedAccuracy }) => balancedAccuracy),
    testPerClass: classes.map((name, index) => ({
      class: name,
      accuracy: over(({ perClass }) => perClass[index]),
    })),
  };
}

/** Of the last epoch, where the trials recorded their classes. */
function validationClasses(
  trials: readonly TrialHistory[],
  classes: readonly string[],
): Partial<OptimizerSummary> {
  const lines = trials.map(({ trial, metrics }) =>
    trial.status === "done" ? metrics.findLast((line) => line.validationPerClass) : undefined,
  );
  if (!lines.some((line) => line !== undefined)) return {};
  return {
    validationPerClass: classes.map((name, index) => ({
      class: name,
      accuracy: spreadOf(lines.map((line) => line?.validationPerClass?.[index] ?? null)),
    })),
    validationBalancedAccuracy: spreadOf(
      lines.map((line) => line?.validationBalancedAccuracy ?? null),
    ),
  };
}

/** The greatest rate that the trial's schedule has over its updates; null where it cannot be known. */
function greatestRateOf({ trial, metrics }: TrialHistory): number | null {
  // A record of another version may name a schedule that this one does not know.
  if (scheduleTypes.includes(trial.schedule.type)) {
    const updates = Math.max(1, Math.round(trial.epochs * trial.updatesPerEpoch));
    return greatestRate(scheduleFromJSON(trial.schedule), updates);
  }
  const rates = metrics.map((line) => line.lr);
  return rates.length === 0 ? null : greatestOf(rates);
}
