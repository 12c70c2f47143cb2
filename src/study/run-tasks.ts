/**
 * @file From what a study asks to what it measured: its range tests, then its trials, whoever runs them and
 * wherever their records go. The one place that decides what is left to do.
 */

import { checkSayable } from "../arms/arm-rates.ts";
import { withinTrials } from "../arms/trial-budget.ts";
import { rangeTestsOf, trialsOf, unbegunTrials, unusableRangeTests } from "../arms/trials.ts";
import {
  type Planned,
  type ProcessEnd,
  type RangeTestRecord,
  type RungDecision,
  type StudyListener,
  type Task,
  type TrialHistory,
  type TrialRecord,
  versioned,
} from "../record/index.ts";
import { isFinished } from "../train/trial-state.ts";
import { cycleWarnings } from "./check-trials.ts";
import { runRungs } from "./pruning/run-rungs.ts";

/** A range test that failed or whose process died, in the words of its arm's trials. */
export interface FailedRangeTest {
  readonly task: Task<"range-test">;
  readonly failure: string;
  readonly ended?: ProcessEnd;
}

/** Told of each trial that has come to its end, or to where it pauses; gives those that are to be run besides. */
export type MoreTrials = (settled: Task<"trial">) => Promise<readonly Task<"trial">[]>;

/** Who runs tasks. A task that fails is recorded, and the others go on; what no other could survive is thrown. */
export interface TaskRunner {
  /** Gives the records, and those that failed: with them ends their arm, not the study. */
  rangeTests(
    tasks: readonly Task<"range-test">[],
    onEvent: StudyListener,
  ): Promise<{ records: RangeTestRecord[]; failed: FailedRangeTest[] }>;
  trials(tasks: readonly Task<"trial">[], onEvent: StudyListener, more?: MoreTrials): Promise<void>;
}

/** Where the records of a study are. */
export interface StudyRecords {
  read(): {
    readonly rangeTests: readonly RangeTestRecord[];
    readonly trials: readonly TrialHistory[];
  };
  /** Keeps the record of a trial that cannot begin. */
  neverBegan(trial: TrialRecord): void;
  /** One trial; null where it has not begun. */
  history(of: Pick<TrialRecord, "slug" | "seed">): TrialHistory | null;
  /** What was decided at rungs, oldest first. */
  decisions(): readonly RungDecision[];
  decided(decisions: readonly RungDecision[]): void;
  /** Keeps the record of a trial that ended where it waited. */
  pruned(trial: TrialRecord): void;
}

export interface RunTasksOptions {
  readonly updatesPerEpoch: number;
  readonly records: StudyRecords;
  readonly runner: TaskRunner;
  readonly onEvent: StudyListener;
}

/**
 * Runs all of a study that is not recorded yet.
 * @throws RangeTestError, before any trial, where range tests cannot say and the study is not forced
 * @throws LrscopeError where a task meets what all others would: a full disk, data that have changed
 * @throws InterruptedError where the runner was told to stop
 */
export async function runTasks(
  study: Planned,
  { updatesPerEpoch, records, runner, onEvent }: RunTasksOptions,
): Promise<void> {
  for (const warning of cycleWarnings(study, updatesPerEpoch))
    await onEvent(versioned({ type: "warning", ...warning }));
  const before = records.read();
  const missing = rangeTestsOf(study).filter(
    ({ arm }) => !before.rangeTests.some((record) => record.arm === arm),
  );
  const made = await runner.rangeTests(missing, onEvent);
  const found = [...before.rangeTests, ...made.records];
  checkSayable(study, found);
  const unusable = unusableRangeTests(study, found, updatesPerEpoch);
  for (const { task, ...why } of [...made.failed, ...unusable])
    for (const trial of unbegunTrials(task, study, { updatesPerEpoch, ...why })) {
      records.neverBegan(trial);
      await onEvent(versioned({ type: "trial-finished", trial }));
    }
  const usable = found.filter(({ arm }) => !unusable.some(({ task }) => task.arm === arm));
  const tasks = withinTrials(trialsOf(study, usable, updatesPerEpoch), study);
  if (study.pruning) return runRungs(study, tasks, { records, runner, onEvent });
  const finished = new Set(
    before.trials
      .filter(({ trial }) => isFinished(trial))
      .map(({ trial }) => `${trial.slug}-${trial.seed}`),
  );
  await runner.trials(
    tasks.filter(({ slug, seed }) => !finished.has(`${slug}-${seed}`)),
    onEvent,
  );
}
