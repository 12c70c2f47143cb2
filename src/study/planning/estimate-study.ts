/**
 * @file What an opened study would take, before it is run: how much there is to do is counted, memory is the
 * compiled plan's, weights are as long as they are, and a step's time is that of a few that are made.
 */

import { performance } from "node:perf_hooks";
import { median } from "../../analysis/index.ts";
import { finderTask } from "../../arms/finder-task.ts";
import { withinTrials } from "../../arms/trial-budget.ts";
import { armsOf, optimizerOf, rangeTestsOf, specOf } from "../../arms/trials.ts";
import { tuningSeeds } from "../../arms/tuning-tasks.ts";
import { optimizerOfSpec } from "../../optimizers/index.ts";
import type { Task } from "../../record/index.ts";
import { planEpoch } from "../../train/compile-options.ts";
import { openTrainer, type Trainer } from "../../train/trainer.ts";
import type { Study } from "../open-study.ts";
import { armsAtRungs, partTrained } from "./expected-rungs.ts";

/** One step alone warms caches and pages up. */
const WARM_UP = 2;
/** Steps that are timed of each optimizer, and the seconds after which no more are. */
const TIMED = 8;
const SECONDS = 3;
/** Rates that `--tune` begins with, and the multiples that `--confirm` tries. */
const RATES_AFTER = 3;

export interface ArmEstimate {
  readonly optimizer: string;
  /** Median over the steps that were timed. */
  readonly msPerStep: number;
  /** Bytes of the best weights, and of the last with the optimizer's state. */
  readonly bestBytes: number;
  readonly lastBytes: number;
  /** Of a process that trains with it: weights, state, activations. */
  readonly memoryBytes: number;
}

export interface StudyEstimate {
  /** Range tests, and the updates of all of them. */
  readonly rangeTests: number;
  readonly rangeTestUpdates: number;
  /** Those that a budget of trials lets begin. */
  readonly trials: number;
  /** Where arms are judged, and how many come there; of the median rule at most. Empty where none are. */
  readonly rungs: readonly { readonly epoch: number; readonly arms: number }[];
  /** Of each trial, where nothing ends it before. */
  readonly epochs: number;
  readonly updatesPerEpoch: number;
  /** Trials at a time, each with so many cores. */
  readonly jobs: number;
  readonly threads: number;
  readonly arms: readonly ArmEstimate[];
  /** Of validating once after an epoch. */
  readonly validationMs: number;
  /**
   * Training and validation of all, `jobs` at a time; steps were timed alone, and processes share the machine's
   * memory, so that it is the least. A trial that ends early takes less.
   */
  readonly seconds: number;
  /** What stays on the disk: weights, without records, which take kilobytes. */
  readonly diskBytes: number;
  /** At most while it runs: checkpoints of the trials under way too. */
  readonly mostDiskBytes: number;
  /** Of the trials that run at a time, together. */
  readonly memoryBytes: number;
}

/** Counts, compiles and times; nothing of it is written, and nothing of the study is changed. */
export async function estimateStudy(study: Study): Promise<StudyEstimate> {
  const { spec, setup, jobs } = study;
  const { updatesPerEpoch } = planEpoch(setup);
  const isFind = spec.kind === "find";
  const tests = isFind ? [finderTask(spec)] : rangeTestsOf(spec);
  const updatesOf = ({ updates, epochs = 1, seeds }: Task<"range-test">) =>
    (updates ?? epochs * updatesPerEpoch) * seeds.length;
  const rangeTestUpdates = tests.reduce((sum, task) => sum + updatesOf(task), 0);
  const arms = armsOf(spec);
  const optimizers = arms.map((arm) => specOf(optimizerOf(arm, spec)));
  const byName = new Map<string, ArmEstimate>();
  let validationMs = 0;
  for (const optimizer of optimizers) {
    if (byName.has(optimizer.name)) continue;
    const trainer = await openTrainer(setup, optimizerOfSpec(optimizer), 0);
    try {
      const msPerStep = await timedStep(trainer, optimizer.hyperparameters.learningRate ?? 0);
      if (byName.size === 0) validationMs = await timedValidation(trainer, study);
      const { persistentBytes, arenaBytes } = trainer.compiled.memory;
      byName.set(optimizer.name, {
        ...{ optimizer: optimizer.name, msPerStep },
        bestBytes: bytesOf(await trainer.read()),
        lastBytes: bytesOf(await trainer.read({ state: true })),
        memoryBytes: persistentBytes + arenaBytes,
      });
    } finally {
      trainer.dispose();
    }
  }
  const estimates = [...byName.values()];
  const following = isFind ? (spec.tuneEpochs ?? spec.confirm) : undefined;
  const epochs = isFind ? (following ?? 0) : spec.epochs;
  const seeds = following === undefined ? spec.seeds.length : tuningSeeds(spec).length;
  const perArm = isFind ? (following === undefined ? 0 : RATES_AFTER * seeds) : seeds;
  const each = optimizers.map(({ name }) => byName.get(name) as ArmEstimate);
  const most = (read: (arm: ArmEstimate) => number) => Math.max(...estimates.map(read));
  const validations = Math.ceil(epochs / (spec.evalEvery ?? 1));
  const trialMs = ({ msPerStep }: ArmEstimate) =>
    epochs * updatesPerEpoch * msPerStep + validations * validationMs;
  const all = each.length * perArm;
  const planned = spec.seeds.flatMap((seed) => arms.map(({ name }) => ({ arm: name, seed })));
  const trials = isFind ? all : withinTrials(planned, spec).length;
  const rungs = isFind ? [] : armsAtRungs(spec, Math.ceil(trials / Math.max(1, perArm)));
  // Of each arm as much as of the others, as nobody knows which go on.
  const part = (trials / Math.max(1, all)) * partTrained(rungs, epochs);
  const trialsMs = part * each.reduce((sum, arm) => sum + perArm * trialMs(arm), 0);
  const begun = trials / Math.max(1, all);
  const kept = (keep?: Study["spec"]["keep"]) =>
    isFind ? 0 : begun * each.reduce((sum, arm) => sum + perArm * keptBytes(arm, keep), 0);
  const [stays, whole] = [kept(spec.keep), kept()];
  return {
    ...{ rangeTests: tests.length, rangeTestUpdates, trials, rungs, epochs },
    ...{ updatesPerEpoch, jobs, threads: setup.threads ?? setup.backend.threads },
    ...{ arms: estimates, validationMs },
    seconds: (rangeTestUpdates * most(({ msPerStep }) => msPerStep) + trialsMs) / jobs / 1000,
    diskBytes: stays,
    // Two checkpoints are kept of a trial under way.
    mostDiskBytes: whole + (epochs === 0 ? 0 : 2 * jobs * most(({ lastBytes }) => lastBytes)),
    memoryBytes: jobs * most(({ memoryBytes }) => memoryBytes),
  };
}

/** What stays of a trial's weights; absent: best and last. */
function keptBytes({ bestBytes, lastBytes }: ArmEstimate, keep?: Study["spec"]["keep"]): number {
  if (keep === "none") return 0;
  return (keep === "last" ? 0 : bestBytes) + (keep === "best" ? 0 : lastBytes);
}

const bytesOf = (tensors: readonly { readonly data: Float32Array }[]) =>
  tensors.reduce((sum, { data }) => sum + data.byteLength, 0);

/** With the loading of its batch, as it is met in an epoch. */
async function timedStep(trainer: Trainer, learningRate: number): Promise<number> {
  const times: number[] = [];
  const begun = performance.now();
  let [made, last] = [0, begun];
  for (let epoch = 1; times.length < TIMED; epoch++) {
    await trainer.trainEpoch({
      epoch,
      learningRate: () => learningRate,
      onUpdate() {
        const now = performance.now();
        if (++made > WARM_UP) times.push(now - last);
        last = now;
        return times.length < TIMED && (times.length === 0 || now - begun < SECONDS * 1000);
      },
    });
    if (times.length > 0 && performance.now() - begun >= SECONDS * 1000) break;
  }
  return median(times);
}

/** Of the whole validation part, by a few of its batches. */
async function timedValidation(trainer: Trainer, { setup, spec }: Study): Promise<number> {
  const { validation } = setup.dataset;
  const some = validation.subarray(0, Math.min(validation.length, 2 * spec.recipe.batch));
  const begun = performance.now();
  await trainer.evaluate(some);
  return ((performance.now() - begun) / some.length) * validation.length;
}
