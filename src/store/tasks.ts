/**
 * @file Tasks under way, tasks/<key>.json in a run directory, each with the attempt that may write its records.
 * Whoever runs an earlier attempt, or one that has ended, is refused at its next write: what is true of a
 * trial is what was accepted under the current attempt, whatever an executor says.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../core/errors.ts";
import { shortName } from "../core/short-name.ts";
import {
  type Task,
  type TaskFile,
  type TrialRecord,
  taskFile,
  trialRecord,
} from "../record/index.ts";
import { isFinished } from "../train/trial-state.ts";
import { readRecord } from "./read-run.ts";
import type { RunDirectory } from "./run-directory.ts";

/** Folder for what Slurm's jobs note of themselves, as long as they run. */
export const SLURM_NOTES = "tasks/slurm";

const nameOf = (key: string) => `tasks/${key}.json`;

/** The name of a task within its study; a trial's is that of its folder. */
export const taskKey = (task: Task): string =>
  task.kind === "trial"
    ? `${task.slug}-${task.seed}`
    : shortName(`range-test-${task.slug}-${task.seeds.join("-")}`, 200);

/** Path of a task's file. */
export const taskPath = (path: string, key: string): string => join(path, nameOf(key));

/** null where the task is not under way. @throws StoreError where its file cannot be understood */
export function currentTask(path: string, key: string): TaskFile | null {
  const file = taskPath(path, key);
  return existsSync(file) ? readRecord(file, taskFile) : null;
}

/** Begins an attempt: 1, or one more than that which did not end. All before it may write no more. */
export function beginAttempt(directory: RunDirectory, task: Task): TaskFile {
  const key = taskKey(task);
  const attempt = (currentTask(directory.path, key)?.attempt ?? 0) + 1;
  const begun: TaskFile = { formatVersion: 1, key, attempt, task };
  directory.writeText(nameOf(key), `${JSON.stringify(begun, null, 2)}\n`);
  return begun;
}

/** The task has ended: nobody may write its records any more. */
export const endTask = (directory: RunDirectory, key: string): void =>
  directory.remove(nameOf(key));

/** @throws StoreError, exit code 1, unless this is the task's current attempt */
export function checkAttempt(path: string, { key, attempt }: Pick<TaskFile, "key" | "attempt">) {
  const current = currentTask(path, key)?.attempt;
  if (current === attempt) return;
  throw new StoreError(
    `${taskPath(path, key)}: attempt ${attempt} of this task is not the current one: ${current === undefined ? "the task has ended, or was never submitted" : `attempt ${current} has begun`}. Nothing more is written by this one; what was recorded before is kept`,
    { exitCode: 1 },
  );
}

/** The record of a trial as the store accepted it under an attempt; null where there is none of that attempt. */
export function acceptedTrial(
  directory: RunDirectory,
  task: Task<"trial">,
  attempt: number,
): TrialRecord | null {
  const file = directory.trialFile(task.slug, task.seed, "trial.json");
  const trial = existsSync(file) ? readRecord(file, trialRecord) : null;
  return trial && (isFinished(trial) || trial.attempt === attempt) ? trial : null;
}
