/** @file The trials of a report by arm, in the experiment's order, each arm with its look. */

import { labelsFor } from "../../arms/arm-labels.ts";
import { at } from "../../core/at.ts";
import { greatestOf } from "../../core/extremes.ts";
import type { EpochMetrics, TrialHistory } from "../../record/index.ts";
import { experimentLook, type SeriesLook, seriesLook } from "../palette.ts";
import type { ReportInput } from "../types.ts";

/** Characters of a label that a row of a table, or a legend, has room for. */
const MOST_LABEL = 40;

/** As the page calls an arm by its name. */
export const labelOf = (name: string, arms: readonly Pick<ReportArm, "name" | "label">[]): string =>
  arms.find((arm) => arm.name === name)?.label ?? name;

export interface ReportArm {
  readonly name: string;
  /** The name, or where that is long what tells it from those of the others: for legends, rows and headings. */
  readonly label: string;
  readonly slug: string;
  readonly look: SeriesLook;
  /** Seeds ascending; empty where none has begun. */
  readonly trials: readonly TrialHistory[];
}

/**
 * Every arm of the experiment, then any that only trials name. Of several experiments, the arms that
 * have one name within theirs share a colour, and each experiment has a dash pattern; where all have one
 * and the same arm, each experiment has its colour.
 */
export function armsOf({
  experiment,
  trials,
  experiments = [],
}: Pick<ReportInput, "experiment" | "trials" | "experiments">): ReportArm[] {
  const named = new Map(experiment.arms.map((arm) => [arm.name, arm.slug]));
  for (const { trial } of trials) if (!named.has(trial.arm)) named.set(trial.arm, trial.slug);
  // Points of a sensitivity analysis look like their arm, and take no look away from the others.
  const shownAs = (name: string): string => {
    const of = experiment.arms.find((arm) => arm.name === name)?.sensitivity?.of;
    return of !== undefined && named.has(of) ? of : name;
  };
  const shown = [...named.keys()].filter((name) => shownAs(name) === name);
  const looks = looksOf(
    shown,
    experiments.map(({ name }) => name),
  );
  const labels = labelsFor([...named.keys()], (label) =>
    [...named.keys()].every((name) => label(name).length <= MOST_LABEL),
  );
  return [...named].map(([name, slug]) => ({
    name,
    label: labels(name),
    slug,
    look: at(looks, shown.indexOf(shownAs(name)), "looks"),
    trials: trials
      .filter(({ trial }) => trial.arm === name)
      .sort((a, b) => a.trial.seed - b.trial.seed),
  }));
}

function looksOf(names: readonly string[], experiments: readonly string[]): SeriesLook[] {
  const prefixed = names.some((name) => experiments.some((one) => name.startsWith(`${one}: `)));
  if (experiments.length < 2 || !prefixed) return names.map((_, i) => seriesLook(i));
  const parts = names.map((name) => {
    const experiment = experiments.findIndex((prefix) => name.startsWith(`${prefix}: `));
    const arm =
      experiment < 0 ? name : name.slice(at(experiments, experiment, "experiments").length + 2);
    return { experiment: Math.max(0, experiment), arm };
  });
  const distinct = [...new Set(parts.map(({ arm }) => arm))];
  // One arm in all of them: then the experiments are what is to be told apart.
  if (distinct.length === 1) return names.map((_, i) => seriesLook(i));
  return parts.map(({ experiment, arm }) => experimentLook(distinct.indexOf(arm), experiment));
}

/** What an epoch's line holds of a trial's progress. */
export type Measure = "trainAccuracy" | "validationAccuracy" | "trainLoss" | "validationLoss";

/** One measure of one trial against epoch: index 0 is epoch 1; null where there is no value. */
export function curveOf(
  metrics: readonly EpochMetrics[],
  measure: Measure,
): readonly (number | null)[] {
  const kept = CURVES.get(metrics) ?? {};
  CURVES.set(metrics, kept);
  kept[measure] ??= measuredBy(metrics, measure);
  return kept[measure];
}

/** As long as a trial has no new line, its curves stay. */
const CURVES = new WeakMap<
  readonly EpochMetrics[],
  Partial<Record<Measure, readonly (number | null)[]>>
>();

function measuredBy(metrics: readonly EpochMetrics[], measure: Measure): (number | null)[] {
  if (metrics.every(({ epoch }, i) => epoch === i + 1)) return metrics.map((line) => line[measure]);
  const last = greatestOf([0, ...metrics.map((line) => line.epoch)]);
  const byEpoch = new Map(metrics.map((line) => [line.epoch, line[measure]]));
  return Array.from({ length: last }, (_, i) => byEpoch.get(i + 1) ?? null);
}

/** Seconds since the trial began at the end of each epoch, mean over the trials that came so far. */
export function secondsOf(trials: readonly TrialHistory[], epochs: number): number[] {
  const clocks = trials.map(({ metrics }) => {
    let sum = 0;
    return metrics.map(({ seconds }) => {
      sum += seconds;
      return sum;
    });
  });
  let previous = 0;
  return Array.from({ length: epochs }, (_, i) => {
    // Steps and not clocks are averaged, so that a trial which ends does not turn time back.
    let [sum, steps] = [0, 0];
    for (const clock of clocks) {
      const now = clock[i];
      if (now === undefined) continue;
      sum += now - (clock[i - 1] ?? 0);
      steps += 1;
    }
    previous += steps === 0 ? 0 : sum / steps;
    return previous;
  });
}
