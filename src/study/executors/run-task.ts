/**
 * @file One attempt at a task, whichever process it is in: opens what it trains, writes its own trial's folder
 * and nothing else of the run directory, and writes no more once another attempt has begun.
 */

import { existsSync } from "node:fs";
import { differences } from "../../core/differences.ts";
import { InterruptedError, StoreError } from "../../core/errors.ts";
import {
  type DatasetRecord,
  type EpochMetrics,
  type Plan,
  type StudyEvent,
  type StudyListener,
  type Task,
  type TaskFile,
  trialRecord,
} from "../../record/index.ts";
import {
  acquireLease,
  checkAttempt,
  fenceOf,
  type Lease,
  openRunDirectory,
  type RunDirectory,
  readRecord,
  readRun,
} from "../../store/index.ts";
import { planDifferences } from "../../train/plan.ts";
import { runRangeTest, runTrial } from "../../train/run-trial.ts";
import { isFinished } from "../../train/trial-state.ts";
import { recordTrial } from "../recorder.ts";
import type { OpenedSetup } from "../setup.ts";
import { restoreTrial } from "./restore-trial.ts";

export interface TaskRun {
  /** The run directory. */
  readonly path: string;
  readonly file: TaskFile;
  /** Token of the lease under which the run directory is held for this attempt; absent: nobody holds it. */
  readonly lease?: string | undefined;
  /** What the task must find again: the experiment's data and plan. */
  readonly dataset: DatasetRecord;
  readonly plan: Plan;
  /** Seconds that the holder of the trial's folder is waited for; default 10, as one whose parent is gone dies at once. */
  readonly patience?: number;
  readonly signal: AbortSignal;
  /** Opens data, network and engine; the data set is closed at the end. */
  open(): Promise<OpenedSetup>;
  /** Hears events once they are recorded. */
  onEvent(event: StudyEvent): void;
}

/**
 * Runs it from where its folder says: from the beginning, or from its newest checkpoint.
 * @throws StoreError where data, engine or attempt are not the ones that were asked for
 * @throws InterruptedError where `signal` aborts; the trial can be resumed
 */
export async function runTask(run: TaskRun): Promise<void> {
  const { path, file, signal } = run;
  const { task } = file;
  let lease: Lease | undefined;
  const held = run.lease === undefined ? undefined : fenceOf(path, run.lease);
  const directory = openRunDirectory(path, {
    token: run.lease ?? "",
    task: file,
    // Who was taken for dead has lost the directory, and with it the tasks that ran under its lease.
    check() {
      held?.check();
      checkAttempt(path, file);
      lease?.check();
    },
  });
  const { setup, dataset } = await run.open();
  try {
    checkDataset(run.dataset, dataset.record);
    const recorder = recordTrial(directory);
    const onEvent: StudyListener = (event) => {
      if (event.type === "plan") checkPlan(run.plan, event.plan);
      const recorded = recorder.onEvent(event);
      run.onEvent(event);
      return recorded;
    };
    if (task.kind === "range-test") {
      await runRangeTest(task, { ...setup, onEvent, signal });
      return;
    }
    lease = await leaseTrial(directory.trialFile(task.slug, task.seed, "."), run.patience ?? 10);
    if (hasEnded(directory, task)) return;
    const from = await restoreTrial(directory, task);
    if (signal.aborted) throw new InterruptedError();
    const others = () => otherMetrics(path, task);
    const { weights, ...checkpoints } = recorder.sink;
    const sink = task.keepWeights === false ? checkpoints : recorder.sink;
    await runTrial(task, { ...setup, onEvent, sink, signal, others }, from ?? undefined);
  } finally {
    lease?.release();
    dataset.close();
  }
}

/** Whether another process, which was taken for dead, has run the trial to its end meanwhile. */
function hasEnded(directory: RunDirectory, { slug, seed }: Task<"trial">): boolean {
  const file = directory.trialFile(slug, seed, "trial.json");
  return existsSync(file) && isFinished(readRecord(file, trialRecord));
}

/** Of the trials of the same seed, as far as they have come. */
const otherMetrics = (path: string, { slug, seed }: Task<"trial">): EpochMetrics[][] =>
  readRun(path)
    .trials.filter(({ trial }) => trial.seed === seed && trial.slug !== slug)
    .map(({ metrics }) => [...metrics]);

/**
 * The process of the same trial that an earlier parent left behind dies as soon as it notices: it is
 * waited for, a little.
 */
async function leaseTrial(folder: string, patience: number): Promise<Lease> {
  const end = performance.now() + 1000 * patience;
  for (let wait = 10; ; wait = Math.min(2 * wait, 5000)) {
    try {
      return await acquireLease(folder);
    } catch (error) {
      if (!(error instanceof StoreError && error.exitCode === 2) || performance.now() > end)
        throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** @throws StoreError naming the difference */
function checkDataset(recorded: DatasetRecord, found: DatasetRecord): void {
  // As it would be read back: what is undefined is absent.
  const [difference] = differences(recorded, JSON.parse(JSON.stringify(found)));
  if (difference)
    throw new StoreError(`the data changed while the experiment was running: ${difference}`);
}

/** @throws StoreError naming the difference */
function checkPlan(planned: Plan, found: Plan): void {
  const [difference] = planDifferences(planned, found);
  if (difference)
    throw new StoreError(`the engine changed while the experiment was running: ${difference}`);
}
