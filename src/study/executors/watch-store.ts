/**
 * @file What tasks that run elsewhere have recorded, as events: read from the run directory again and again,
 * where no channel leads from the task to here.
 */

import { existsSync, statSync } from "node:fs";
import {
  type EventBody,
  epochMetrics,
  type StudyEvent,
  storedRangeTest,
  type TaskFile,
  trialRecord,
  versioned,
} from "../../record/index.ts";
import { type RunDirectory, readLines, readRecord } from "../../store/index.ts";

export interface StoreWatch {
  /** Tells what was recorded since it was last asked. */
  look(): void;
}

/** @param file the task and its attempt */
export function watchTask(
  { task, attempt }: TaskFile,
  directory: RunDirectory,
  onEvent: (event: StudyEvent) => void,
): StoreWatch {
  const say = (event: EventBody) => onEvent(versioned(event) as StudyEvent);
  if (task.kind === "range-test") {
    const { arm, slug } = task;
    let told = false;
    return {
      look() {
        const file = directory.rangeTestFile(slug);
        if (told || !existsSync(file)) return;
        told = true;
        say({ type: "range-test-finished", arm, record: readRecord(file, storedRangeTest) });
      },
    };
  }
  const { slug, seed, arm, index, trials } = task;
  const file = directory.trialFile(slug, seed, "trial.json");
  const records = directory.trialFile(slug, seed, "metrics.jsonl");
  let [status, changed, epochs] = ["", 0, 0];
  const isNew = () => {
    const modified = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const grown = statSync(records, { throwIfNoEntry: false })?.size ?? 0;
    const now = modified + grown;
    const differs = now !== changed;
    changed = now;
    return differs;
  };
  return {
    look() {
      if (!isNew() || !existsSync(file)) return;
      const trial = readRecord(file, trialRecord);
      // Of an attempt that ended before this one began.
      if (trial.attempt !== undefined && trial.attempt !== attempt) return;
      const metrics = readLines(records, epochMetrics);
      if (status === "") {
        epochs = metrics.length;
        say({
          type: "trial-started",
          trial: { ...trial, status: "running" },
          metrics,
          index,
          trials,
        });
      }
      for (const line of metrics.slice(epochs)) say({ type: "epoch", arm, seed, metrics: line });
      epochs = Math.max(epochs, metrics.length);
      if (trial.status !== status && trial.status !== "running" && trial.status !== "interrupted")
        say({ type: "trial-finished", trial });
      status = trial.status;
    },
  };
}
