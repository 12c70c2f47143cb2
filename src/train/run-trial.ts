/** @file A planned trial or range test, run on a network, data and engine that are at hand. */

import type { RangeTestSpec, TrialSpec } from "../arms/trials.ts";
import { createOptimizer } from "../optimizers/index.ts";
import type { RangeTestRecord } from "../record/index.ts";
import { scheduleFromJSON } from "../schedules/index.ts";
import { type FitResult, fit } from "./fit.ts";
import type { FitOptions, TrainingSetup } from "./options.ts";
import { rangeTest } from "./range-test.ts";
import { scheduleOfSpec } from "./rates.ts";
import type { TrialState } from "./trial-state.ts";

/** What a specification says of a trial, as `fit` takes it; without what all trials share. */
export function fitOptionsOf(spec: TrialSpec): Omit<FitOptions, keyof TrainingSetup> {
  const { optimizer, schedule, hyperparameterSchedules, budget, ...rest } = spec;
  return {
    ...rest,
    ...budget,
    optimizer: createOptimizer(optimizer.name, optimizer.hyperparameters),
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

/**
 * @param setup with `others`, where the trial may be pruned
 * @param from where an earlier run of the same trial stopped; absent: from the beginning
 */
export const runTrial = (
  spec: TrialSpec,
  setup: TrainingSetup & Pick<FitOptions, "others">,
  from?: TrialState,
): Promise<FitResult> => fit({ ...setup, ...fitOptionsOf(spec), ...(from ? { from } : {}) });

export function runRangeTest(spec: RangeTestSpec, setup: TrainingSetup): Promise<RangeTestRecord> {
  const { optimizer, ...rest } = spec;
  return rangeTest({
    ...setup,
    ...rest,
    optimizer: createOptimizer(optimizer.name, optimizer.hyperparameters),
  });
}
