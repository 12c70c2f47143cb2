/** @file Attempts at a task: counted, one at a time, and what the store accepts under each. */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/cli/temporary.ts";
import { tinyTrial } from "../../test/faults/tiny.ts";
import { fakeTrials } from "../../test/report/fake-records.ts";
import type { TaskFile, TrialRecord } from "../record/index.ts";
import {
  acceptedTrial,
  beginAttempt,
  checkAttempt,
  currentTask,
  endTask,
  openRunDirectory,
  sweepRun,
  taskPath,
} from "./index.ts";

const within = temporaryFolder();
const task = tinyTrial();

/** A run directory, and one in it for who runs an attempt. */
function opened(name: string) {
  const path = within(name);
  mkdirSync(path, { recursive: true });
  const directory = openRunDirectory(path);
  const ofAttempt = (file: TaskFile) =>
    openRunDirectory(path, { token: "", task: file, check: () => checkAttempt(path, file) });
  return { path, directory, ofAttempt };
}

const record = (status: TrialRecord["status"]): TrialRecord => ({
  ...fakeTrials()[0]!.trial,
  ...{ arm: task.arm, slug: task.slug, seed: task.seed, status, divergence: null },
});

test("each counts one more, until the task has ended", () => {
  const { path, directory } = opened("counted");
  expect(currentTask(path, "adam-0")).toBeNull();
  expect(beginAttempt(directory, task)).toEqual({
    ...{ formatVersion: 1, key: "adam-0", attempt: 1, task },
  });
  const second = beginAttempt(directory, task);
  expect(second.attempt).toBe(2);
  expect(currentTask(path, "adam-0")).toEqual(second);
  // It can be shown to anybody, and run anywhere.
  expect(readFileSync(taskPath(path, "adam-0"), "utf8")).not.toContain(path);
  sweepRun(path, new Set());
  expect(currentTask(path, "adam-0")).toEqual(second);
  endTask(directory, "adam-0");
  sweepRun(path, new Set());
  expect(existsSync(join(path, "tasks"))).toBe(false);
  expect(beginAttempt(directory, task).attempt).toBe(1);
});

test("one whose trial has run to its end, in whichever process, is swept", () => {
  const { path, directory } = opened("swept");
  beginAttempt(directory, task);
  sweepRun(path, new Set(["adam-0"]));
  expect(existsSync(join(path, "tasks"))).toBe(false);
});

test("an earlier one is refused at every write, as is one whose task has ended", () => {
  const { path, directory, ofAttempt } = opened("refused");
  const first = ofAttempt(beginAttempt(directory, task));
  first.writeTrial(record("running"));
  const second = beginAttempt(directory, task);
  const refused = "attempt 1 of this task is not the current one: attempt 2 has begun";
  expect(() => first.writeTrial(record("done"))).toThrow(refused);
  expect(() => first.appendLog("adam", 0, "late")).toThrow(refused);
  expect(() => first.checkpoints("adam", 0)).toThrow(refused);
  ofAttempt(second).writeTrial(record("running"));
  endTask(directory, "adam-0");
  expect(() => ofAttempt(second).writeTrial(record("done"))).toThrow("the task has ended");
  expect(readFileSync(join(path, "trials/adam-0/trial.json"), "utf8")).toContain('"attempt": 2');
});

test("what is accepted is the current attempt's, or a trial that has run to its end", () => {
  const { directory, ofAttempt } = opened("accepted");
  expect(acceptedTrial(directory, task, 1)).toBeNull();
  const first = beginAttempt(directory, task);
  ofAttempt(first).writeTrial(record("interrupted"));
  expect(acceptedTrial(directory, task, 1)).toMatchObject({ status: "interrupted", attempt: 1 });
  const second = beginAttempt(directory, task);
  // Its process may have died before it wrote anything.
  expect(acceptedTrial(directory, task, 2)).toBeNull();
  ofAttempt(second).writeTrial(record("done"));
  const done = acceptedTrial(directory, task, 2);
  expect(done?.status).toBe("done");
  // The same record whichever attempt ended it.
  expect(done).not.toHaveProperty("attempt");
});
