/** @file The trials of a report by arm, in the experiment's order, each arm with its look. */

import type { EpochMetrics } from "../../record/index.ts";
import { type SeriesLook, seriesLook } from "../palette.ts";
import type { ReportInput, ReportTrial } from "../types.ts";

export interface ReportArm {
  readonly name: string;
  readonly slug: string;
  readonly look: SeriesLook;
  /** Seeds ascending; empty where none has begun. */
  readonly trials: readonly ReportTrial[];
}

/** Every arm of the experiment, then any that only trials name. */
export function armsOf({
  experiment,
  trials,
}: Pick<ReportInput, "experiment" | "trials">): ReportArm[] {
  const named = new Map(experiment.arms.map((arm) => [arm.name, arm.slug]));
  for (const { trial } of trials) if (!named.has(trial.arm)) named.set(trial.arm, trial.slug);
  return [...named].map(([name, slug], i) => ({
    name,
    slug,
    look: seriesLook(i),
    trials: trials
      .filter(({ trial }) => trial.arm === name)
      .sort((a, b) => a.trial.seed - b.trial.seed),
  }));
}

/** One measure of one trial against epoch: index 0 is epoch 1; null where there is no value. */
export function curveOf(
  metrics: readonly EpochMetrics[],
  measure: "trainAccuracy" | "validationAccuracy",
): (number | null)[] {
  const last = Math.max(0, ...metrics.map((line) => line.epoch));
  const byEpoch = new Map(metrics.map((line) => [line.epoch, line[measure]]));
  return Array.from({ length: last }, (_, i) => byEpoch.get(i + 1) ?? null);
}
