/**
 * @file What a reader must know beside the numbers of an experiment: which trials failed, which options
 * could end a trial early and which trials they did end, which cycles were cut off high, which images
 * were kept for the end.
 */

import { counted, listed, percent } from "../core/words.ts";
import type { ExperimentRecord, TrialHistory, TrialRecord } from "../record/index.ts";
import { scheduleFromJSON } from "../schedules/index.ts";

/** More trials than this are counted, and not named. */
const NAMED = 6;

/** A sentence each; none where every trial ran to its last epoch and no such option was on. */
export function notesOn(
  { arms, protocol }: ExperimentRecord,
  trials: readonly TrialHistory[],
): string[] {
  const all = counted(trials.length, "trial");
  const failed = trials.filter(({ trial }) => trial.status === "failed");
  const ended = (by: TrialRecord["endedBy"]) => trials.filter(({ trial }) => trial.endedBy === by);
  const sentence = (option: string, by: TrialRecord["endedBy"]) => {
    const those = ended(by);
    return `${option}; it ended ${those.length === 0 ? "no trial" : `${those.length} of ${all}: ${named(those)}`}.`;
  };
  const high = trials.filter(endsHigh);
  const { prune, pruning, earlyStopping, time, targetAccuracy, test } = protocol;
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
    ...(pruning === undefined
      ? []
      : [`${pruningWords(pruning)}; it pruned ${prunedArms(trials, arms.length)}.`]),
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
    ...(high.length > 0
      ? [
          `${listed([...new Set(high.map(({ trial }) => trial.arm))])} ended in the upper half of a cycle, and at a high rate accuracy is lower: the best epoch says more there than the last. --snap-cycles lets the last cycle end with the run.`,
        ]
      : []),
    ...(test === undefined
      ? []
      : [
          `${percent(test)} of each class was kept untouched; the weights that were best on validation were scored on it once, at the end of each trial.`,
        ]),
  ];
}

type Pruning = NonNullable<ExperimentRecord["protocol"]["pruning"]>;

/** "Successive halving was on, from epoch 3: at each rung one arm in 3 goes on, to one 3 times as far" */
export function pruningWords({ method, reduction, grace = 1, finalists }: Pruning): string {
  const least = finalists > 1 ? `, and ${counted(finalists, "arm")} always` : "";
  const rungs = `at each rung, from epoch ${grace} on, the best one in ${reduction} of the arms go on, to a rung ${reduction} times as far${least}`;
  if (method === "median")
    return `The median stopping rule was on (after every ${grace === 1 ? "epoch" : `${counted(grace, "epoch")}`} an arm ends whose best so far is below the median of the others' running averages, by all seeds together${least ? `; ${counted(finalists, "arm")} are never pruned` : ""})`;
  const waits = method === "asha" ? ", as soon as they are among them" : "";
  return `${method === "asha" ? "Asynchronous successive halving" : "Successive halving"} was on (${rungs}${waits}; an arm is judged by all its seeds together)`;
}

function prunedArms(trials: readonly TrialHistory[], of: number): string {
  const arms = new Set(
    trials.flatMap(({ trial }) =>
      trial.status === "pruned" && trial.rung !== undefined ? [trial.arm] : [],
    ),
  );
  return arms.size === 0 ? "no arm" : `${arms.size} of ${counted(of, "arm")}`;
}

const CYCLICAL = new Set(["triangular", "triangular2", "expRange"]);

/** Whether a finished trial's last update had a rate nearer to its cycle's upper bound than to its lower. */
function endsHigh({ trial }: TrialHistory): boolean {
  const { schedule, status, epochs, updatesPerEpoch } = trial;
  if (status !== "done" || !CYCLICAL.has(schedule.type)) return false;
  const { base, max } = schedule as unknown as { base: number; max: number };
  const last = scheduleFromJSON(schedule)(Math.round(epochs * updatesPerEpoch) - 1);
  return last > (base + max) / 2;
}

/** "adam, seed 0, after 5 epochs; sgd, seed 1, ..." */
function named(
  trials: readonly TrialHistory[],
  why: (measured: TrialHistory) => string = ({ metrics }) =>
    `after ${counted(metrics.length, "epoch")}`,
): string {
  if (trials.length > NAMED)
    return `those of ${listed([...new Set(trials.map(({ trial }) => trial.arm))])}`;
  return trials
    .map((measured) => `${measured.trial.arm}, seed ${measured.trial.seed}, ${why(measured)}`)
    .join("; ");
}
