/** @file Where what comes of a task goes, as the task's process sees it; and the one that is a run directory of this machine. */

import { existsSync } from "node:fs";
import { StoreError } from "../../core/errors.ts";
import {
  type EpochMetrics,
  type Task,
  type TaskFile,
  type TrainedOn,
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
import { isFinished, type TrialState } from "../../train/trial-state.ts";
import { type Recorder, recordTrial } from "../recorder.ts";
import { restoreTrial } from "./restore-trial.ts";

export interface TaskStore {
  /** Takes events and weights; what it does not accept it throws, or rejects with. */
  readonly recorder: Recorder;
  /** Called once, before anything is trained: where the trial stands, null at the beginning; "ended": nothing is left of it. */
  begin(): Promise<TrialState | null | "ended">;
  /** Those that have trained it so far, where machines that differ were let in; called after `begin`. */
  machines(): readonly TrainedOn[];
  /** Of the trials of the same seed, as far as they have come. */
  others(): EpochMetrics[][];
  /** Nothing more will come. */
  release(): void;
}

export interface DiskStoreOptions {
  /** The run directory. */
  readonly path: string;
  readonly file: TaskFile;
  /** Token of the lease under which the run directory is held for this attempt; absent: nobody holds it. */
  readonly lease?: string;
  /** Seconds that the holder of the trial's folder is waited for. */
  readonly patience?: number;
}

/** A run directory, of which the task's own part is written. */
export function diskStore({ path, file, patience = 10, ...options }: DiskStoreOptions): TaskStore {
  const { task } = file;
  let lease: Lease | undefined;
  const held = options.lease === undefined ? undefined : fenceOf(path, options.lease);
  const directory = openRunDirectory(path, {
    token: options.lease ?? "",
    task: file,
    // Who was taken for dead has lost the directory, and with it the tasks that ran under its lease.
    check() {
      held?.check();
      checkAttempt(path, file);
      lease?.check();
    },
  });
  return {
    recorder: recordTrial(directory),
    async begin() {
      if (task.kind === "range-test") return null;
      lease = await leaseTrial(directory.trialFile(task.slug, task.seed, "."), patience);
      return hasEnded(directory, task) ? "ended" : restoreTrial(directory, task);
    },
    machines: () => machinesOfTrial(directory, task),
    others: () => (task.kind === "range-test" ? [] : otherMetrics(path, task)),
    release: () => lease?.release(),
  };
}

/** Whether another process, which was taken for dead, has run the trial to its end meanwhile. */
export function hasEnded(directory: RunDirectory, { slug, seed }: Task<"trial">): boolean {
  const file = directory.trialFile(slug, seed, "trial.json");
  return existsSync(file) && isFinished(readRecord(file, trialRecord));
}

/** Those that have trained it so far, where machines that differ were let in. */
export function machinesOfTrial(directory: RunDirectory, task: Task): TrainedOn[] {
  if (task.kind === "range-test") return [];
  const file = directory.trialFile(task.slug, task.seed, "trial.json");
  return existsSync(file) ? (readRecord(file, trialRecord).machines ?? []) : [];
}

/** Of the trials of the same seed, as far as they have come. */
export const otherMetrics = (path: string, { slug, seed }: Task<"trial">): EpochMetrics[][] =>
  readRun(path)
    .trials.filter(({ trial }) => trial.seed === seed && trial.slug !== slug)
    .map(({ metrics }) => [...metrics]);

/**
 * The process of the same trial that an earlier parent left behind dies as soon as it notices: it is
 * waited for, a little.
 */
export async function leaseTrial(folder: string, patience: number): Promise<Lease> {
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
