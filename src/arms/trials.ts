/**
 * @file From arms and seeds to the trials of a comparison, as plain data: pure, so that a resumed
 * comparison plans the same ones, and a trial can be handed to a process of its own.
 */

import { checkRuleName, type RangeTestRuleName } from "../analysis/index.ts";
import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { MOST_SEEDS, MOST_TRIALS } from "../core/limits.ts";
import { createOptimizer, type Optimizer } from "../optimizers/index.ts";
import type { RangeTestRecord, ScheduleSpec, TrialRecord } from "../record/index.ts";
import { type BudgetOptions, checkBudget } from "../train/budget.ts";
import type { CompareOptions } from "../train/options.ts";
import { needsRangeTest, scheduleOf } from "./arm-rates.ts";
import { DEFAULT_ARMS, type parseArm, parseArms } from "./arms.ts";
import { withSensitivity } from "./sensitivity-arms.ts";

type Arm = ReturnType<typeof parseArm>;

/** What is asked of a comparison, without data, network and engine. */
export type ComparisonRequest = Pick<
  CompareOptions,
  | "optimizers"
  | "epochs"
  | "seeds"
  | "momentum"
  | "weightDecay"
  | "learningRates"
  | "finderSeeds"
  | "sensitivity"
  | "maxLr"
  | "baseLr"
  | "stepSize"
  | "from"
  | "to"
  | "rangeTestEpochs"
  | "rule"
  | "ramp"
  | "snapCycles"
  | "momentumSchedule"
  | keyof BudgetOptions
>;

/** An optimizer by name, with all its hyperparameters. */
export interface OptimizerSpec {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, number>>;
}

/** One trial. */
export interface TrialSpec {
  readonly arm: string;
  readonly slug: string;
  readonly seed: number;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  /** Absent: as `fit` chooses. */
  readonly hyperparameterSchedules?: Readonly<Record<string, ScheduleSpec>>;
  readonly learningRateSource: string;
  readonly epochs: number;
  /** What may end it before. */
  readonly budget?: BudgetOptions;
  /** Place among the trials of the comparison. */
  readonly index: number;
  readonly trials: number;
}

/** One range test, which must be made before its arm's trials can be planned. */
export interface RangeTestSpec {
  readonly arm: string;
  readonly slug: string;
  readonly optimizer: OptimizerSpec;
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly from?: number;
  readonly to?: number;
  readonly rule?: RangeTestRuleName;
  readonly ramp?: "exponential" | "linear";
}

/** @throws ArgumentError for arms, seeds, epochs or bounds that no comparison can be made of */
export function checkRequest(request: ComparisonRequest): readonly Arm[] {
  const { epochs, seeds = DEFAULT_SEEDS, maxLr, baseLr, stepSize, finderSeeds = 1 } = request;
  checkPositiveInteger("compare", "epochs", epochs);
  if (seeds.length === 0) throw new ArgumentError("compare: at least one seed must be given");
  checkPositiveInteger("compare", "finderSeeds", finderSeeds);
  if (maxLr !== undefined) checkPositive("compare", "maxLr", maxLr);
  if (baseLr !== undefined) checkPositive("compare", "baseLr", baseLr);
  if (stepSize !== undefined) checkPositiveInteger("compare", "stepSize", stepSize);
  if (maxLr !== undefined && baseLr !== undefined && baseLr >= maxLr)
    throw new ArgumentError(
      `compare: baseLr must be below maxLr; got baseLr ${baseLr} and maxLr ${maxLr}`,
    );
  if (finderSeeds > MOST_SEEDS)
    throw new ArgumentError(
      `compare: finderSeeds must be at most ${MOST_SEEDS}; got ${finderSeeds}`,
    );
  if (request.rule !== undefined) checkRuleName(request.rule);
  checkBudget("compare", request);
  const arms = armsOf(request);
  checkTrials("compare", { arms: arms.length, seeds: seeds.length });
  return arms;
}

/** @throws ArgumentError where they make more runs than can be planned */
export function checkTrials(
  subject: string,
  { arms, seeds }: { arms: number; seeds: number },
): void {
  if (arms * seeds > MOST_TRIALS)
    throw new ArgumentError(
      `${subject}: at most ${MOST_TRIALS} runs can be planned; got ${arms} arms x ${seeds} seeds. Lower --seeds, or name fewer --optimizers`,
    );
}

/** The arms as they are named, each at several multiples of its rate where a sensitivity is asked for. */
export function armsOf({
  optimizers = DEFAULT_ARMS,
  sensitivity,
}: Pick<ComparisonRequest, "optimizers" | "sensitivity">): readonly Arm[] {
  const arms = parseArms(optimizers);
  return sensitivity === undefined ? arms : withSensitivity(arms, sensitivity);
}

/** Whose range test an arm goes by: its own, or that of the arm whose sensitivity it shows. */
const testedAs = ({ name, sensitivity }: Arm): string => sensitivity?.of ?? name;

/** Those of the budget's options that are given; undefined where there are none. */
function budgetOf(request: ComparisonRequest): BudgetOptions | undefined {
  const { time, targetAccuracy, evalEvery, earlyStopping, prune } = request;
  const given = Object.entries({ time, targetAccuracy, evalEvery, earlyStopping, prune }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

export const DEFAULT_SEEDS: readonly number[] = [0, 1, 2];

/** End of a range test's ramp, unless the optimizer's own rate is near it or beyond. */
const RAMP_END = 0.1;

/**
 * The range tests of the arms whose rates are not known before one; each over `finderSeeds` seeds, the
 * comparison's first and those that follow it. The ramp ends at 0.1, or at ten times the optimizer's
 * default rate where that is more.
 */
export function planRangeTests(request: ComparisonRequest): RangeTestSpec[] {
  const { seeds = DEFAULT_SEEDS, finderSeeds = 1, from, to, rangeTestEpochs = 2 } = request;
  const { rule, ramp } = request;
  return checkRequest(request)
    .filter((arm) => testedAs(arm) === arm.name && needsRangeTest(arm, request))
    .map((arm) => {
      const optimizer = optimizerOf(arm, request);
      return {
        arm: arm.name,
        slug: arm.slug,
        optimizer: specOf(optimizer),
        seeds: Array.from({ length: finderSeeds }, (_, i) => seeds[0]! + i),
        epochs: rangeTestEpochs,
        ...(from === undefined ? {} : { from }),
        to: to ?? Math.max(RAMP_END, 10 * optimizer.hyperparameters.learningRate!),
        ...(rule === undefined ? {} : { rule }),
        ...(ramp === undefined ? {} : { ramp }),
      };
    });
}

/**
 * All trials, seed by seed, so that every arm has its first before any has its second.
 * @param rangeTests those of planRangeTests; an arm without the one that it needs is left out
 * @throws ArgumentError where the range test's upper bound lies below the lower bound that was given
 */
export function planTrials(
  request: ComparisonRequest,
  rangeTests: readonly RangeTestRecord[],
  updatesPerEpoch: number,
): TrialSpec[] {
  const { seeds = DEFAULT_SEEDS, epochs } = request;
  const budget = budgetOf(request);
  const arms = checkRequest(request).flatMap((arm) => {
    const optimizer = optimizerOf(arm, request);
    const found = rangeTests.find((record) => record.arm === testedAs(arm));
    if (!found && needsRangeTest(arm, request)) return [];
    return [{ arm, optimizer, ...scheduleOf(arm, optimizer, { request, found, updatesPerEpoch }) }];
  });
  return seeds
    .flatMap((seed) => arms.map((planned) => ({ seed, ...planned })))
    .map(({ seed, arm, optimizer, schedule, source }, index, all) => ({
      arm: arm.name,
      slug: arm.slug,
      seed,
      optimizer: specOf(optimizer),
      schedule,
      ...momentumOf(optimizer, request),
      learningRateSource: source,
      epochs,
      ...(budget ? { budget } : {}),
      index,
      trials: all.length,
    }));
}

/**
 * Range tests whose finding does not go with what was given (an upper bound below `baseLr`), and why. What
 * was measured decides that, and of one arm alone: its trials cannot begin, those of others can.
 */
export function unusableRangeTests(
  request: ComparisonRequest,
  rangeTests: readonly RangeTestRecord[],
  updatesPerEpoch: number,
): { spec: RangeTestSpec; failure: string }[] {
  const arms = checkRequest(request);
  return planRangeTests(request).flatMap((spec) => {
    const found = rangeTests.find(({ arm }) => arm === spec.arm);
    if (!found) return [];
    try {
      for (const arm of arms)
        if (testedAs(arm) === spec.arm)
          scheduleOf(arm, optimizerOf(arm, request), { request, found, updatesPerEpoch });
      return [];
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return [{ spec, failure: `range test of ${spec.arm}: ${error.message}` }];
    }
  });
}

/** The records of an arm's trials that cannot begin, as its range test failed; of its sensitivity's, too. */
export function unbegunTrials(
  { arm: tested, optimizer }: RangeTestSpec,
  request: ComparisonRequest,
  why: Pick<TrialRecord, "failure" | "ended"> & { readonly updatesPerEpoch: number },
): TrialRecord[] {
  const { seeds = DEFAULT_SEEDS, epochs } = request;
  const arms = armsOf(request).filter((arm) => testedAs(arm) === tested);
  const trials = seeds.flatMap((seed) => arms.map(({ name, slug }) => ({ arm: name, slug, seed })));
  return trials.map((trial) => ({
    formatVersion: 1,
    ...trial,
    optimizer: { name: optimizer.name, hyperparameters: { ...optimizer.hyperparameters } },
    schedule: { type: "unknown" },
    learningRateSource: "range test, which failed",
    epochs,
    status: "failed",
    divergence: null,
    msPerStep: null,
    seconds: null,
    ...why,
  }));
}

const specOf = ({ name, hyperparameters }: Optimizer): OptimizerSpec => ({
  name,
  hyperparameters: { ...hyperparameters },
});

function optimizerOf(arm: Arm, { momentum, weightDecay }: ComparisonRequest): Optimizer {
  const takesMomentum = "momentum" in createOptimizer(arm.optimizer).hyperparameters;
  return createOptimizer(arm.optimizer, {
    ...(arm.learningRate === null ? {} : { learningRate: arm.learningRate }),
    ...(momentum && takesMomentum ? { momentum } : {}),
    ...(weightDecay ? { weightDecay } : {}),
  });
}

/** What --momentum-schedule says, for the optimizers that have a momentum, or beta1. */
function momentumOf(
  { hyperparameters }: Optimizer,
  { momentumSchedule }: ComparisonRequest,
): Pick<TrialSpec, "hyperparameterSchedules"> {
  if (momentumSchedule === undefined) return {};
  if (momentumSchedule === "none") return { hyperparameterSchedules: {} };
  const name = ["momentum", "beta1"].find((known) => (hyperparameters[known] ?? 0) > 0);
  return name === undefined ? {} : { hyperparameterSchedules: { [name]: momentumSchedule } };
}
