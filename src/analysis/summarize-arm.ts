/** @file One arm of an experiment: its trials' records as quantities over the seeds. */

import { at } from "../core/at.ts";
import { greatestOf, leastOf } from "../core/extremes.ts";
import type {
  EpochMetrics,
  OptimizerSummary,
  Spread,
  TrialHistory,
  TrialRecord,
} from "../record/index.ts";
import { greatestRate, scheduleFromJSON, scheduleTypes } from "../schedules/index.ts";
import { accuracySpread, spreadOf } from "./statistics/spread.ts";
import { mean, median } from "./statistics/statistics.ts";
import { timeToTarget } from "./time-to-target.ts";

const LAST_EPOCHS = 10;

/** What one trial has to say about one quantity; null where it does not come to it. */
type Reading = (trial: TrialHistory) => number | null;

/** What an arm is summarised against. */
interface ArmContext {
  readonly targets: readonly number[];
  readonly classes: readonly string[];
  /** Of the validation part; undefined where not known. */
  readonly images: number | undefined;
  /** Accuracy of always answering with the commonest class; undefined where not known. */
  readonly guess: number | undefined;
}

/**
 * Final, last-10-epoch, gap and area are of trials that are done: one that diverged or was cut short
 * has null there, for its last epoch is not the others' last. Its best epoch and the targets that it
 * reached count as far as it came.
 */
export function summarizeArm(
  name: string,
  trials: readonly TrialHistory[],
  { targets, classes, images, guess }: ArmContext,
): OptimizerSummary {
  const over = (read: Reading): Spread => spreadOf(trials.map(read));
  const accuracyOver = (read: Reading): Spread => accuracySpread(trials.map(read), images);
  const ifDone =
    (read: Reading): Reading =>
    (measured) =>
      measured.trial.status === "done" ? read(measured) : null;
  const ofDone = (read: Reading): Spread => over(ifDone(read));
  const finalValidationAccuracy = accuracyOver(ifDone(last("validationAccuracy")));
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
    epochs: trials.map(({ metrics }) => metrics.length),
    finalValidationAccuracy,
    bestValidationAccuracy: accuracyOver(greatest("validationAccuracy")),
    last10ValidationAccuracy: accuracyOver(ifDone(meanOfLast("validationAccuracy"))),
    finalValidationLoss: ofDone(last("validationLoss")),
    bestValidationLoss: over(least("validationLoss")),
    last10ValidationLoss: ofDone(meanOfLast("validationLoss")),
    finalTrainAccuracy: accuracySpread(trials.map(ifDone(last("trainAccuracy")))),
    generalisationGap: ofDone(gap),
    accuracyArea: accuracySpread(trials.map(ifDone(area))),
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
    ...prunedAtOf(trials),
    unfinished: count("running", "interrupted", "paused"),
    ...(isGuessing(finalValidationAccuracy.mean, guess, images) ? { guessing: true } : {}),
  };
}

/** Of an arm that was judged by its seeds together. */
function prunedAtOf(trials: readonly TrialHistory[]): Pick<OptimizerSummary, "prunedAt"> {
  const ended = trials.filter(({ trial }) => trial.status === "pruned" && trial.rung !== undefined);
  const rung = ended[0]?.trial.rung;
  if (rung === undefined) return {};
  return { prunedAt: { rung, epoch: greatestOf(ended.map(({ metrics }) => metrics.length)) } };
}

/** Standard errors of the images above guessing, from which on an arm is not called guessing. */
const ABOVE_GUESSING = 2;

/** Whether an accuracy on so many images is not clearly above that of the commonest answer. */
function isGuessing(
  accuracy: number | null,
  guess: number | undefined,
  images: number | undefined,
): boolean {
  if (accuracy === null || guess === undefined || images === undefined) return false;
  return accuracy <= guess + ABOVE_GUESSING * Math.sqrt((guess * (1 - guess)) / images);
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
        total +
        ((epoch - at(points, i, "points").epoch) * (height + at(points, i, "points").height)) / 2,
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
    accuracySpread(trials.map(({ trial }) => (trial.test ? (read(trial.test) ?? null) : null)));
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
      accuracy: accuracySpread(lines.map((line) => line?.validationPerClass?.[index] ?? null)),
    })),
    validationBalancedAccuracy: accuracySpread(
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
