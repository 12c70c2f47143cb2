/**
 * @file From arms and seeds to the trials of a comparison, as plain data: pure, so that a resumed
 * comparison plans the same ones, and a trial can be handed to a process of its own.
 */

import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { createOptimizer, type Optimizer } from "../optimizers/index.ts";
import type { RangeTestRecord, ScheduleSpec } from "../record/index.ts";
import { formatRate } from "../schedules/index.ts";
import { armSchedule, isCyclical, isSpecified } from "./arm-schedules.ts";
import { PUBLISHED_ARMS, type parseArm, parseArms } from "./arms.ts";
import type { CompareOptions } from "./options.ts";

type Arm = ReturnType<typeof parseArm>;

/** What is asked of a comparison, without data, network and engine. */
export type ComparisonRequest = Pick<
  CompareOptions,
  | "optimizers"
  | "epochs"
  | "seeds"
  | "momentum"
  | "weightDecay"
  | "maxLr"
  | "baseLr"
  | "stepSize"
  | "from"
  | "to"
  | "rangeTestEpochs"
  | "snapCycles"
  | "momentumSchedule"
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
}

/** @throws ArgumentError for arms, seeds, epochs or bounds that no comparison can be made of */
export function checkRequest(request: ComparisonRequest): readonly Arm[] {
  const { epochs, seeds = DEFAULT_SEEDS, maxLr, baseLr, stepSize } = request;
  checkPositiveInteger("compare", "epochs", epochs);
  if (seeds.length === 0) throw new ArgumentError("compare: at least one seed must be given");
  if (maxLr !== undefined) checkPositive("compare", "maxLr", maxLr);
  if (baseLr !== undefined) checkPositive("compare", "baseLr", baseLr);
  if (stepSize !== undefined) checkPositiveInteger("compare", "stepSize", stepSize);
  if (maxLr !== undefined && baseLr !== undefined && baseLr >= maxLr)
    throw new ArgumentError(
      `compare: baseLr must be below maxLr; got baseLr ${baseLr} and maxLr ${maxLr}`,
    );
  return parseArms(request.optimizers ?? PUBLISHED_ARMS);
}

export const DEFAULT_SEEDS: readonly number[] = [0, 1, 2];

/** The arms whose rates are not known before a range test. */
export function planRangeTests(request: ComparisonRequest): RangeTestSpec[] {
  const { seeds = DEFAULT_SEEDS, from, to, rangeTestEpochs = 2, maxLr } = request;
  return checkRequest(request)
    .filter((arm) => isCyclical(arm.schedule) && arm.learningRate === null && maxLr === undefined)
    .map((arm) => ({
      arm: arm.name,
      slug: arm.slug,
      optimizer: specOf(optimizerOf(arm, request)),
      seeds: seeds.slice(0, 1),
      epochs: rangeTestEpochs,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    }));
}

/**
 * All trials, seed by seed, so that every arm has its first before any has its second.
 * @param rangeTests those of planRangeTests
 * @throws ArgumentError where the range test's upper bound lies below the lower bound that was given
 */
export function planTrials(
  request: ComparisonRequest,
  rangeTests: readonly RangeTestRecord[],
  updatesPerEpoch: number,
): TrialSpec[] {
  const { seeds = DEFAULT_SEEDS, epochs } = request;
  const arms = checkRequest(request).map((arm) => {
    const optimizer = optimizerOf(arm, request);
    const found = rangeTests.find((record) => record.arm === arm.name);
    return { arm, optimizer, ...scheduleOf(arm, optimizer, { request, found, updatesPerEpoch }) };
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
      index,
      trials: all.length,
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

interface ScheduleContext {
  readonly request: ComparisonRequest;
  readonly found: RangeTestRecord | undefined;
  readonly updatesPerEpoch: number;
}

/** Which rate an arm uses, when, and where it came from. */
function scheduleOf(
  arm: Arm,
  optimizer: Optimizer,
  context: ScheduleContext,
): { schedule: ScheduleSpec; source: string } {
  const { request, updatesPerEpoch } = context;
  const rate = optimizer.hyperparameters.learningRate!;
  const options = {
    rate,
    steps: request.epochs * updatesPerEpoch,
    snap: request.snapCycles ?? false,
  };
  const own = () => armSchedule(arm.schedule, options).toJSON() as ScheduleSpec;
  if (isSpecified(arm.schedule)) return { schedule: own(), source: "its schedule" };
  if (!isCyclical(arm.schedule))
    return {
      schedule: own(),
      source:
        arm.learningRate === null ? `default of ${optimizer.name}` : `given: ${formatRate(rate)}`,
    };
  const { maxLr, baseLr, source } = boundsOf(arm, context);
  const stepSize = request.stepSize ?? 4 * updatesPerEpoch;
  const bounds = { base: baseLr, max: maxLr, stepSize };
  const schedule = armSchedule(arm.schedule, { ...options, bounds });
  return { schedule: schedule.toJSON() as ScheduleSpec, source };
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

/** Bounds of a cyclical arm: given, or a range test's upper bound; the lower one is a sixth of it. */
function boundsOf(arm: Arm, { request, found }: ScheduleContext) {
  const given = arm.learningRate ?? request.maxLr;
  const maxLr = given ?? found!.suggestion.maxLr;
  if (given === undefined && request.baseLr !== undefined && request.baseLr >= maxLr)
    throw new ArgumentError(
      `compare: baseLr must be below the range test's upper bound ${maxLr} of ${arm.name}; got ${request.baseLr}. Leave --base-lr out, or give --max-lr`,
    );
  const source = given === undefined ? "range test" : "given";
  return { maxLr, baseLr: request.baseLr ?? maxLr / 6, source: `${source}: ${formatRate(maxLr)}` };
}
