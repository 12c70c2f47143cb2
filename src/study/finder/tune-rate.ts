/**
 * @file `find --tune`: short real runs about the suggested rate, each a task with records of its own, until the
 * best rate lies between two that are worse. What is on the disk decides what is left, so that a tuning that is
 * interrupted goes on.
 */

import {
  rateOfStep,
  stepsToTry,
  type TriedRate,
  tuningOf,
} from "../../analysis/range-test/tuning.ts";
import { parseArm } from "../../arms/arms.ts";
import { tuningSeeds, tuningTasks } from "../../arms/tuning-tasks.ts";
import { at, get, present } from "../../core/at.ts";
import { AddonError } from "../../core/errors.ts";
import type {
  RangeTestTuning,
  StudyListener,
  StudySpec,
  Task,
  TrialHistory,
} from "../../record/index.ts";
import { type RunDirectory, readTrials } from "../../store/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import type { TaskRunner } from "../run-tasks.ts";

export interface TuneRateOptions {
  readonly study: StudySpec;
  /** The rate to begin with. */
  readonly suggested: number;
  readonly updatesPerEpoch: number;
  readonly directory: RunDirectory;
  readonly runner: TaskRunner;
  readonly onEvent: StudyListener;
}

/**
 * Trains with the suggested rate, half and twice it, and further up or down while the best is at the end of
 * what was tried. For a seed all rates begin from the same weights and see the same batches.
 * @throws AddonError where a run failed; those that ended are kept
 * @throws InterruptedError where the runner was told to stop
 */
export async function tuneRate(options: TuneRateOptions): Promise<RangeTestTuning> {
  const { study, suggested, updatesPerEpoch, directory, runner, onEvent } = options;
  const tried: TriedRate[] = [];
  for (let steps = stepsToTry(tried); steps.length > 0; steps = stepsToTry(tried)) {
    const rates = steps.map((step) => rateOfStep(suggested, step));
    const before = tried.length * tuningSeeds(study).length;
    const tasks = tuningTasks(study, rates, updatesPerEpoch).map((task) => ({
      ...task,
      index: before + task.index,
      trials: before + task.trials,
    }));
    const ended = finished(directory.path);
    await runner.trials(
      tasks.filter((task) => !ended.has(keyOf(task))),
      onEvent,
    );
    const after = finished(directory.path);
    for (const [i, step] of steps.entries()) {
      // The first seed's are in the order of the rates.
      const own = tasks.filter(({ arm }) => arm === at(tasks, i, "tasks").arm);
      tried.push({ step, ...measured(own, after, directory.path) });
    }
  }
  const [arm] = study.optimizers;
  return tuningOf(tried, {
    ...{ suggested, epochs: get(study, "tuneEpochs", "study"), seeds: tuningSeeds(study) },
    schedule: parseArm(present(arm, "arm")).schedule,
  });
}

const keyOf = ({ slug, seed }: Pick<Task<"trial">, "slug" | "seed">) => `${slug}-${seed}`;

const finished = (path: string): ReadonlyMap<string, TrialHistory> =>
  new Map(
    readTrials(path)
      .filter(({ trial }) => isFinished(trial))
      .map((history) => [keyOf(history.trial), history]),
  );

/** After the last epoch, seed by seed. @throws AddonError where a run is not there */
function measured(
  tasks: readonly Task<"trial">[],
  histories: ReadonlyMap<string, TrialHistory>,
  path: string,
): Pick<TriedRate, "accuracies" | "losses"> {
  const ends = tasks.map((task) => {
    const found = histories.get(keyOf(task));
    if (!found)
      throw new AddonError(
        `find: a run at ${task.arm}, seed ${task.seed}, failed; those that ended are kept, and lrscope find --resume ${path} tries again`,
      );
    return found.trial.divergence ? undefined : found.metrics.at(-1);
  });
  return {
    accuracies: ends.map((line) => line?.validationAccuracy ?? 0),
    losses: ends.map((line) => line?.validationLoss ?? null),
  };
}
