/** @file A planned trial or range test, run on a network, data and engine that are at hand. */

import { optimizerOfSpec } from "../optimizers/index.ts";
import type { RangeTestRecord, Task } from "../record/index.ts";
import { scheduleFromJSON } from "../schedules/index.ts";
import { scheduleOfSpec } from "../schedules/text/schedule-of-spec.ts";
import { type FitResult, fitForSink } from "./fit.ts";
import type { FitOptions, RangeTestOptions, TrainingSetup } from "./options.ts";
import { measureRangeTest, rangeTest, searchRamp } from "./range-test.ts";
import type { TrialState } from "./trial-state.ts";

/** What a task says of a trial, as `fit` takes it; without what all trials share. */
export function fitOptionsOf(task: Task<"trial">): Omit<FitOptions, keyof TrainingSetup> {
  const { kind, keepWeights, rung, optimizer, schedule, hyperparameterSchedules, ends, ...rest } =
    task;
  return {
    ...rest,
    ...ends,
    optimizer: optimizerOfSpec(optimizer),
    schedule: scheduleOfSpec(schedule),
    ...(hyperparameterSchedules
      ? {
          hyperparameterSchedules: Object.fromEntries(
            Object.entries(hyperparameterSchedules).map(([name, of]) => [
              name,
              scheduleFromJSON(of),
            ]),
          ),
        }
      : {}),
  };
}

/** What a task says of a range test, as `rangeTest` takes it. */
export function rangeTestOptionsOf(
  task: Task<"range-test">,
): Omit<RangeTestOptions, keyof TrainingSetup> {
  const { kind, slug, measureOnly, optimizer, ...rest } = task;
  return { ...rest, optimizer: optimizerOfSpec(optimizer) };
}

/**
 * @param setup with `others`, where the trial may be pruned
 * @param from where an earlier run of the same trial stopped; absent: from the beginning
 */
export const runTrial = (
  task: Task<"trial">,
  setup: TrainingSetup & Pick<FitOptions, "others">,
  from?: TrialState,
): Promise<FitResult> => fitForSink({ ...setup, ...fitOptionsOf(task), ...(from ? { from } : {}) });

/** @returns null of a task that measures only: what it measures are events */
export async function runRangeTest(
  task: Task<"range-test">,
  setup: TrainingSetup,
): Promise<RangeTestRecord | null> {
  const options = { ...setup, ...rangeTestOptionsOf(task) };
  if (!task.measureOnly) return rangeTest(options);
  await (task.measureOnly === "search" ? searchRamp : measureRangeTest)(options);
  return null;
}
