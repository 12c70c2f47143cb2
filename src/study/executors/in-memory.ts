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
import type { TrialState } from "../../train/trial-state.ts";
import type { WeightsSink } from "../../train/weights-sink.ts";
import type { FailedRangeTest, TaskRunner } from "../run-tasks.ts";

/**
 * @param setup what all tasks train
 * @param histories of the trials so far, for those that may be pruned
 */
export function inMemory(
  setup: TrainingSetup,
  histories: () => readonly TrialHistory[],
): TaskRunner {
  const paused = new Map<string, TrialState>();
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
    async trials(tasks, onEvent, more) {
      const queue = [...tasks];
      for (let task = queue.shift(); task; task = queue.shift()) {
        let status: TrialRecord["status"] | undefined;
        const watched: StudyListener = (event) => {
          if (event.type === "trial-started" || event.type === "trial-finished")
            status = event.trial.status;
          return onEvent(event);
        };
        const { slug, seed } = task;
        const others = () =>
          histories()
            .filter(({ trial }) => trial.seed === seed && trial.slug !== slug)
            .map(({ metrics }) => metrics);
        const key = `${slug}-${seed}`;
        const from = paused.get(key);
        paused.delete(key);
        // Held as long as it may go on from there, which only one that pauses may.
        const held = task.until === undefined ? undefined : holding(setup.sink, from);
        try {
          const sink = held?.sink ?? setup.sink;
          await runTrial(
            task,
            { ...setup, ...(sink ? { sink } : {}), onEvent: watched, others },
            from,
          );
          const state = held?.state();
          if (status === "paused" && state) paused.set(key, state);
        } catch (error) {
          if (error instanceof InterruptedError || status !== "failed" || isFatal(error))
            throw error;
        }
        const added = (await more?.(task)) ?? [];
        queue.unshift(...added);
        queue.sort((a, b) => (b.rung ?? 0) - (a.rung ?? 0));
      }
    },
  };
}

/** A sink that keeps where a trial stands, and passes all on. */
function holding(sink: WeightsSink = {}, from?: TrialState) {
  let state = from;
  let best = from?.best ?? null;
  let bestKept = from?.bestKept ?? null;
  return {
    state: () => state,
    sink: {
      weights(kept) {
        if (kept.which === "best") [best, bestKept] = [kept.weights, kept.epoch];
        return sink.weights?.(kept);
      },
      checkpoint(kept) {
        const { metrics, msPerStep, seconds } = kept.record;
        state = { metrics, msPerStep, seconds, checkpoint: kept.weights, bestKept, best };
        return sink.checkpoint?.(kept);
      },
    } satisfies WeightsSink,
  };
}

/** Whether no trial could survive it: full disks and bad calls meet all alike. */
export const isFatal = (error: unknown): boolean =>
  !(error instanceof Error) ||
  ("code" in error &&
    ["STORE", "ARGUMENT", "SHAPE", "DATA", "WEIGHTS"].includes(String(error.code)));
