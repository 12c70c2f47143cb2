/**
 * @file What a reader must know beside the numbers of an experiment: which trials failed, which options
 * could end a trial early and which trials they did end, which images were kept for the end.
 */

import { counted, listed, percent } from "../core/words.ts";
import type { ExperimentRecord, TrialRecord } from "../record/index.ts";
import type { MeasuredTrial } from "./summarize-arm.ts";

/** More trials than this are counted, and not named. */
const NAMED = 6;

/** A sentence each; none where every trial ran to its last epoch and no such option was on. */
export function notesOn(
  { protocol }: ExperimentRecord,
  trials: readonly MeasuredTrial[],
): string[] {
  const all = counted(trials.length, "trial");
  const failed = trials.filter(({ trial }) => trial.status === "failed");
  const ended = (by: TrialRecord["endedBy"]) => trials.filter(({ trial }) => trial.endedBy === by);
  const sentence = (option: string, by: TrialRecord["endedBy"]) => {
    const those = ended(by);
    return `${option}; it ended ${those.length === 0 ? "no trial" : `${those.length} of ${all}: ${named(those)}`}.`;
  };
  const { prune, earlyStopping, time, targetAccuracy, test } = protocol;
  return [
    ...(failed.length > 0
      ? [
          `${failed.length} of ${all} failed: ${named(failed, ({ trial }) => trial.failure?.split("; ")[0] ?? "no reason recorded")}.${failed.length < trials.length ? " The others went on." : ""}`,
        ]
      : []),
    ...(prune === undefined
      ? []
      : [
          sentence(
            `Median pruning was on from epoch ${prune} (a trial ends whose best accuracy is below the median of the others of its seed)`,
            "pruned",
          ),
        ]),
    ...(earlyStopping === undefined
      ? []
      : [
          sentence(
            `Early stopping was on, after ${counted(earlyStopping, "validation")} without a better accuracy`,
            "early stopping",
          ),
        ]),
    ...(time === undefined
      ? []
      : [sentence("A trial ends with the epoch in which its time is used up", "time")]),
    ...(targetAccuracy === undefined
      ? []
      : [
          sentence(
            `A trial ends at a validation accuracy of ${percent(targetAccuracy)}`,
            "target accuracy",
          ),
        ]),
    ...(test === undefined
      ? []
      : [
          `${percent(test)} of each class was kept untouched; the weights that were best on validation were scored on it once, at the end of each trial.`,
        ]),
  ];
}

/** "adam, seed 0, after 5 epochs; sgd, seed 1, ..." */
function named(
  trials: readonly MeasuredTrial[],
  why: (measured: MeasuredTrial) => string = ({ metrics }) =>
    `after ${counted(metrics.length, "epoch")}`,
): string {
  if (trials.length > NAMED)
    return `those of ${listed([...new Set(trials.map(({ trial }) => trial.arm))])}`;
  return trials
    .map((measured) => `${measured.trial.arm}, seed ${measured.trial.seed}, ${why(measured)}`)
    .join("; ");
}
