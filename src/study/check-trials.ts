/**
 * @file What a trial or a range test would refuse as it begins, refused before the first of them does:
 * each depends on the options, the network and the length of an epoch, and on nothing that is measured.
 */

import { parseArm } from "../arms/arms.ts";
import { rangeTestsOf, trialsOf } from "../arms/trials.ts";
import { checkTunable, tuningTasks } from "../arms/tuning-tasks.ts";
import { compileNetwork } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import { accumulate, type Optimizer, optimizerOfSpec } from "../optimizers/index.ts";
import {
  type Planned,
  type RangeTestRecord,
  STUDY_DEFAULTS,
  type StudySpec,
  type Task,
} from "../record/index.ts";
import { cycleWarning } from "../schedules/cycle-warning.ts";
import { averageWeights, snapshotEpochs } from "../train/averages/averages.ts";
import { followedRun } from "../train/averages/beside-the-weights.ts";
import { compileOptions, planEpoch } from "../train/compile-options.ts";
import type { TrainingSetup } from "../train/options.ts";
import { checkRangeTest } from "../train/range-test.ts";
import { ratesOf } from "../train/rates.ts";
import { fitOptionsOf, rangeTestOptionsOf } from "../train/run-trial.ts";

/**
 * @throws ArgumentError, ShapeError for options with which a trial or range test of the comparison could
 *   not begin: snapshots of a schedule without cycles, parameter groups that match nothing, an optimizer
 *   that takes no accumulated gradients, a momentum schedule that leaves its domain, a ramp of one update
 */
export function checkComparison(setup: TrainingSetup, request: Planned): void {
  const planned = planEpoch(setup);
  const { updatesPerEpoch } = planned;
  const [seed] = request.seeds ?? STUDY_DEFAULTS.seeds;
  const tests = rangeTestsOf(request);
  for (const task of tests) checkRangeTest({ ...setup, ...rangeTestOptionsOf(task) });
  const one = { ...request, ...(seed === undefined ? {} : { seeds: [seed] }) };
  const trials = trialsOf(
    one,
    tests.map((task) => standIn(task, request)),
    updatesPerEpoch,
  );
  for (const trial of trials) checkTrial(setup, trial, updatesPerEpoch);
  const optimizers = [...tests, ...trials].map(({ optimizer }) => optimizerOfSpec(optimizer));
  // Compiling takes a second for a large network; what differs between optimizers is checked of each.
  for (const optimizer of optimizers) if (planned.accumulate > 1) accumulate(optimizer);
  for (const optimizer of optimizers.slice(0, 1)) checkStep(setup, optimizer);
}

/** Of each arm whose cycles do not fit the run: what there is to say of them before it begins. */
export function cycleWarnings(
  request: Planned,
  updatesPerEpoch: number,
): { arm: string; seed: number; message: string }[] {
  const [seed = 0] = request.seeds ?? STUDY_DEFAULTS.seeds;
  const standIns = rangeTestsOf(request).map((task) => standIn(task, request));
  return trialsOf({ ...request, seeds: [seed] }, standIns, updatesPerEpoch).flatMap((task) => {
    const { schedule } = fitOptionsOf(task);
    if (!schedule || "initial" in schedule) return [];
    const updates = task.epochs * updatesPerEpoch;
    const message = cycleWarning(schedule, { updates, updatesPerEpoch });
    return message === null ? [] : [{ arm: task.arm, seed, message }];
  });
}

/** @throws ArgumentError, ShapeError for options with which the range test could not begin */
export function checkFind(setup: TrainingSetup, task: Task<"range-test">, study: StudySpec): void {
  checkRangeTest({ ...setup, ...rangeTestOptionsOf(task) });
  if (study.tuneEpochs !== undefined) {
    const { updatesPerEpoch } = planEpoch(setup);
    checkTunable(parseArm(at(study.optimizers, 0, "optimizers")).schedule);
    for (const trial of tuningTasks(
      { ...study, seeds: study.seeds.slice(0, 1) },
      [1],
      updatesPerEpoch,
    ))
      checkTrial(setup, trial, updatesPerEpoch);
  }
  checkStep(setup, optimizerOfSpec(task.optimizer));
}

/** A range test that found whatever lets its arm's trials be planned. */
function standIn({ arm, optimizer }: Task<"range-test">, { baseLr }: Planned) {
  const rate = baseLr === undefined ? 1 : 10 * baseLr;
  const constant = { rate, rule: "minimum/10", low: rate, high: rate, interval: null };
  return {
    formatVersion: 2,
    ...{ arm, optimizer: optimizer.name, from: rate, to: rate, updates: 2 },
    ...{ ramp: "exponential", loss: "train", smoothing: "proportional", reading: "averaged" },
    ...{ runs: [], seeds: [], suggestions: {}, doubts: [], warnings: [], seconds: 0 },
    suggestion: { constant, peak: { ...constant, baseLr: rate / 6 } },
    verdict: { kind: "read", message: "", remedy: null },
    unguarded: null,
  } satisfies RangeTestRecord;
}

/** The step as it is compiled in the first epoch, and in each that unfreezes more. */
function checkStep(setup: TrainingSetup, optimizer: Optimizer): void {
  for (const epoch of [1, ...(setup.unfreeze ?? []).map((each) => each.epoch)])
    compileNetwork(compileOptions(setup, optimizer, epoch));
}

function checkTrial(setup: TrainingSetup, task: Task<"trial">, updatesPerEpoch: number): void {
  const options = fitOptionsOf(task);
  ratesOf({ ...options, updates: task.epochs * updatesPerEpoch, warn: () => undefined });
  const run = followedRun(options, updatesPerEpoch);
  if (setup.average) averageWeights(setup.average, run);
  if (!setup.snapshots) return;
  try {
    snapshotEpochs(run);
  } catch (error) {
    if (error instanceof ArgumentError)
      throw new ArgumentError(`arm "${task.arm}": ${error.message}`);
    throw error;
  }
}
