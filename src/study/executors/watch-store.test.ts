/** @file What is recorded elsewhere, told as events: each once, and nothing of an attempt that is over. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EpochMetrics, StudyEvent, Task, TrialRecord } from "../../record/index.ts";
import { openRunDirectory } from "../../store/index.ts";
import { watchTask } from "./watch-store.ts";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "lrscope-watch-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const task: Task<"trial"> = {
  ...{ kind: "trial", arm: "adam", slug: "adam", seed: 0, epochs: 2, index: 3, trials: 4 },
  optimizer: { name: "adam", hyperparameters: {} },
  schedule: { type: "constant", rate: 0.1 },
  learningRateSource: "given",
};
const trial = (status: TrialRecord["status"], attempt?: number): TrialRecord => ({
  ...{
    formatVersion: 1,
    arm: "adam",
    slug: "adam",
    seed: 0,
    updatesPerEpoch: 1,
    epochs: 2,
    status,
  },
  ...{ optimizer: task.optimizer, schedule: task.schedule, learningRateSource: "given" },
  ...{ divergence: null, failure: null, msPerStep: null, seconds: null },
  ...(attempt === undefined ? {} : { attempt }),
});
const line = (epoch: number): EpochMetrics => ({
  ...{ epoch, update: epoch, lr: 0.1, trainLoss: 1, trainAccuracy: 0, seconds: 1 },
  ...{ validationLoss: 1, validationAccuracy: 0 },
});
const words = (event: StudyEvent) =>
  event.type === "epoch"
    ? `epoch ${event.metrics.epoch}`
    : event.type === "trial-started" || event.type === "trial-finished"
      ? `${event.type} ${event.trial.status}`
      : event.type;

test("a trial: it starts, its epochs, it ends; each is told once", () => {
  const directory = openRunDirectory(path);
  const told: string[] = [];
  const watch = watchTask({ formatVersion: 1, key: "adam-0", attempt: 2, task }, directory, (e) =>
    told.push(words(e)),
  );
  watch.look();
  expect(told).toEqual([]);
  directory.writeTrial(trial("interrupted", 1));
  directory.appendMetrics("adam", 0, line(1));
  watch.look();
  expect(told).toEqual([]);
  directory.writeTrial(trial("running", 2));
  watch.look();
  watch.look();
  expect(told).toEqual(["trial-started running"]);
  directory.appendMetrics("adam", 0, line(2));
  watch.look();
  directory.writeTrial(trial("done"));
  watch.look();
  watch.look();
  expect(told).toEqual(["trial-started running", "epoch 2", "trial-finished done"]);
});
