/** @file Trials whose curves are given, small enough to work out by hand. */

import type { EpochMetrics, TrialHistory, TrialRecord } from "../../src/record/index.ts";
import { fakeExperiment, fakeTrials } from "./fake-records.ts";

export const base = fakeExperiment({ epochs: 4, seeds: 2, arms: ["adam", "adamax"] });
export const [template] = fakeTrials({ epochs: 4, seeds: 1, arms: ["adam"] });

/** A trial with these validation accuracies, ten seconds an epoch, training accuracy 0.1 above. */
export function trial(
  arm: string,
  seed: number,
  curve: readonly (number | null)[],
  more: Partial<TrialRecord> = {},
): TrialHistory {
  return {
    trial: { ...template!.trial, arm, seed, status: "done", ...more },
    metrics: curve.map(
      (validationAccuracy, i): EpochMetrics => ({
        epoch: i + 1,
        update: 54 * (i + 1),
        lr: 1e-3,
        trainLoss: 1,
        trainAccuracy: validationAccuracy === null ? 0.5 : validationAccuracy + 0.1,
        validationLoss: validationAccuracy === null ? null : 1 - validationAccuracy,
        validationAccuracy,
        seconds: 10,
      }),
    ),
  };
}
