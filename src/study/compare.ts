/**
 * @file A comparison of the library's own objects: the study that the command line runs, with its tasks in
 * this process and its records in memory. For a seed, every arm begins from the same weights and sees the
 * same batches, augmentation and dropout.
 */

import { summarize } from "../analysis/index.ts";
import { heldArms } from "../arms/own-arms.ts";
import { checkRequest } from "../arms/trials.ts";
import { shareable } from "../files/machine-folders.ts";
import {
  type EpochMetrics,
  type ExperimentRecord,
  type RangeTestRecord,
  type RungDecision,
  STUDY_DEFAULTS,
  type StudyEvent,
  type SummaryRecord,
  type TrialHistory,
  type TrialRecord,
} from "../record/index.ts";
import { planEpoch } from "../train/compile-options.ts";
import type { CompareOptions } from "../train/options.ts";
import { checkComparison } from "./check-trials.ts";
import { inMemory } from "./executors/in-memory.ts";
import { describeExperiment } from "./experiment.ts";
import { runTasks, type StudyRecords } from "./run-tasks.ts";

/** What a comparison leaves: the records that a run directory would hold. */
export interface CompareResult {
  readonly experiment: ExperimentRecord;
  readonly rangeTests: readonly RangeTestRecord[];
  readonly trials: readonly TrialHistory[];
  readonly summary: SummaryRecord;
}

/**
 * Trains every arm once a seed, in this process, and summarises. A cyclical arm without a rate of its
 * own (by `@RATE` or `maxLr`) begins with a range test, whose peak is its upper bound; so does every arm with
 * `learningRates: "range-test"`, see `rangeTest`. A trial that diverges is recorded as such, and the others go
 * on; an arm whose range test fails has failed trials.
 *
 * `runStudy` runs the same trials, with the same bits, each in a process of its own, and keeps records.
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws RangeTestError, before any trial, where a range test cannot say and `force` is not set
 * @throws InterruptedError where `signal` aborts
 */
export async function compare({ arms, ...options }: CompareOptions): Promise<CompareResult> {
  if (!arms) return compared(options);
  const { texts, release } = heldArms(arms);
  try {
    return await compared({ ...options, optimizers: [...(options.optimizers ?? []), ...texts] });
  } finally {
    release();
  }
}

async function compared(options: Omit<CompareOptions, "arms">): Promise<CompareResult> {
  const arms = checkRequest(options);
  checkComparison(options, options);
  const { seeds = STUDY_DEFAULTS.seeds } = options;
  const experiment = describeExperiment({
    study: { kind: "compare", ...options, seeds },
    setup: options,
    arms,
  });
  const memory = recordsInMemory();
  await runTasks(options, {
    updatesPerEpoch: planEpoch(options).updatesPerEpoch,
    records: memory,
    runner: inMemory(options, () => memory.read().trials),
    onEvent(event) {
      memory.take(event);
      return options.onEvent?.(event);
    },
  });
  const { rangeTests, trials } = memory.read();
  return { experiment, rangeTests, trials, summary: summarize(experiment, trials) };
}

/** Records as a run directory would have them, in the order in which they come. */
function recordsInMemory(): StudyRecords & { take(event: StudyEvent): void } {
  const rangeTests: RangeTestRecord[] = [];
  const trials = new Map<string, { trial: TrialRecord; metrics: EpochMetrics[] }>();
  const keep = (trial: TrialRecord) => {
    const key = `${trial.slug}-${trial.seed}`;
    const { failure } = trial;
    const shown = { ...trial, failure: failure && shareable(failure) };
    const kept = { trial: shown, metrics: trials.get(key)?.metrics ?? [] };
    trials.set(key, kept);
    return kept;
  };
  let current: { readonly metrics: EpochMetrics[] } | undefined;
  const decisions: RungDecision[] = [];
  return {
    read: () => ({ rangeTests, trials: [...trials.values()] }),
    neverBegan: (trial) => void keep(trial),
    history: ({ slug, seed }) => trials.get(`${slug}-${seed}`) ?? null,
    decisions: () => decisions,
    decided: (taken) => void decisions.push(...taken),
    pruned: (trial) => void keep(trial),
    take(event) {
      if (event.type === "range-test-finished") rangeTests.push(event.record);
      if (event.type === "trial-started" || event.type === "trial-finished")
        current = keep(event.trial);
      if (event.type === "epoch") current?.metrics.push(event.metrics);
    },
  };
}
