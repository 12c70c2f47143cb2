/**
 * @file The comparison: arms x seeds on equal terms. For a seed, every arm begins from the same
 * weights and sees the same batches, augmentation and dropout.
 */

import { summarize } from "../analysis/index.ts";
import {
  checkRequest,
  DEFAULT_SEEDS,
  planRangeTests,
  planTrials,
  unbegunTrials,
  unusableRangeTests,
} from "../arms/trials.ts";
import { InterruptedError } from "../core/errors.ts";
import { shareable } from "../files/machine-folders.ts";
import type {
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
  TrialRecord,
} from "../record/index.ts";
import { planEpoch } from "../train/compile-options.ts";
import type { CompareOptions } from "../train/options.ts";
import { runRangeTest, runTrial } from "../train/run-trial.ts";
import { checkComparison } from "./check-trials.ts";
import { describeExperiment } from "./experiment.ts";

/** What a comparison leaves: the records that a run directory would hold. */
export interface CompareResult {
  readonly experiment: ExperimentRecord;
  readonly rangeTests: readonly RangeTestRecord[];
  readonly trials: readonly { trial: TrialRecord; metrics: EpochMetrics[] }[];
  readonly summary: SummaryRecord;
}

/**
 * Trains every arm once a seed, in this process, and summarises. A cyclical arm without a rate of its
 * own (by `@RATE` or `maxLr`) begins with a range test: upper bound = rate at the smoothed minimum / 10,
 * lower bound = upper / 6; so does every arm with `learningRates: "range-test"`. A trial that diverges is
 * recorded as such, and the others go on; an arm whose range test fails has failed trials.
 *
 * The command line runs the same trials, with the same bits, each in a process of its own.
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws InterruptedError where `signal` aborts
 */
export async function compare(options: CompareOptions): Promise<CompareResult> {
  const { epochs, seeds = DEFAULT_SEEDS } = options;
  const arms = checkRequest(options);
  checkComparison(options, options);
  const experiment = describeExperiment({
    kind: "compare",
    setup: options,
    arms,
    epochs,
    seeds,
    protocol: options,
  });
  const rangeTests: RangeTestRecord[] = [];
  const trials: { trial: TrialRecord; metrics: EpochMetrics[] }[] = [];
  const { updatesPerEpoch } = planEpoch(options);
  for (const spec of planRangeTests(options))
    try {
      rangeTests.push(await runRangeTest(spec, options));
    } catch (error) {
      if (error instanceof InterruptedError || isFatal(error)) throw error;
      const { message } = error as Error;
      const failure = shareable(
        `range test of ${spec.arm}: ${message.replace(/^range test: /, "")}`,
      );
      for (const trial of unbegunTrials(spec, options, { updatesPerEpoch, failure }))
        trials.push({ trial, metrics: [] });
    }
  const unusable = unusableRangeTests(options, rangeTests, updatesPerEpoch);
  for (const { spec, failure } of unusable)
    for (const trial of unbegunTrials(spec, options, { updatesPerEpoch, failure }))
      trials.push({ trial, metrics: [] });
  const usable = rangeTests.filter(({ arm }) => !unusable.some(({ spec }) => spec.arm === arm));
  for (const spec of planTrials(options, usable, updatesPerEpoch)) {
    let last: TrialRecord | undefined;
    const metrics: EpochMetrics[] = [];
    try {
      await runTrial(spec, {
        ...options,
        others: () =>
          trials
            .filter(({ trial }) => trial.seed === spec.seed)
            .map(({ metrics: finished }) => finished),
        onEvent(event) {
          if (event.type === "trial-started" || event.type === "trial-finished") last = event.trial;
          if (event.type === "epoch") metrics.push(event.metrics);
          return options.onEvent?.(event);
        },
      });
    } catch (error) {
      // A failed trial is recorded and the others go on; what no other trial could survive ends it.
      if (error instanceof InterruptedError || last?.status !== "failed" || isFatal(error))
        throw error;
    }
    if (last)
      trials.push({
        trial: { ...last, failure: last.failure && shareable(last.failure) },
        metrics,
      });
  }
  return { experiment, rangeTests, trials, summary: summarize(experiment, trials) };
}

/** Whether no trial could survive it: full disks and bad calls meet all alike. */
export const isFatal = (error: unknown): boolean =>
  !(error instanceof Error) ||
  ("code" in error &&
    ["STORE", "ARGUMENT", "SHAPE", "DATA", "WEIGHTS"].includes(String(error.code)));
