/** @file Tasks in this process, one after another, on a network, data and engine that are at hand: no run directory, no executor. */

import { InterruptedError } from "../../core/errors.ts";
import { shareable } from "../../files/machine-folders.ts";
import type {
  RangeTestRecord,
  StudyListener,
  TrialHistory,
  TrialRecord,
} from "../../record/index.ts";
import type { TrainingSetup } from "../../train/options.ts";
import { runRangeTest, runTrial } from "../../train/run-trial.ts";
import type { FailedRangeTest, TaskRunner } from "../run-tasks.ts";

/**
 * @param setup what all tasks train
 * @param histories of the trials so far, for those that may be pruned
 */
export function inMemory(
  setup: TrainingSetup,
  histories: () => readonly TrialHistory[],
): TaskRunner {
  return {
    async rangeTests(tasks, onEvent) {
      const records: RangeTestRecord[] = [];
      const failed: FailedRangeTest[] = [];
      for (const task of tasks)
        try {
          const record = await runRangeTest(task, { ...setup, onEvent });
          if (record) records.push(record);
        } catch (error) {
          if (error instanceof InterruptedError || isFatal(error)) throw error;
          const reason = (error as Error).message.replace(/^range test: /, "");
          failed.push({ task, failure: shareable(`range test of ${task.arm}: ${reason}`) });
        }
      return { records, failed };
    },
    async trials(tasks, onEvent) {
      for (const task of tasks) {
        let status: TrialRecord["status"] | undefined;
        const watched: StudyListener = (event) => {
          if (event.type === "trial-started" || event.type === "trial-finished")
            status = event.trial.status;
          return onEvent(event);
        };
        const others = () =>
          histories()
            .filter(({ trial }) => trial.seed === task.seed && trial.slug !== task.slug)
            .map(({ metrics }) => metrics);
        try {
          await runTrial(task, { ...setup, onEvent: watched, others });
        } catch (error) {
          if (error instanceof InterruptedError || status !== "failed" || isFatal(error))
            throw error;
        }
      }
    },
  };
}

/** Whether no trial could survive it: full disks and bad calls meet all alike. */
export const isFatal = (error: unknown): boolean =>
  !(error instanceof Error) ||
  ("code" in error &&
    ["STORE", "ARGUMENT", "SHAPE", "DATA", "WEIGHTS"].includes(String(error.code)));
