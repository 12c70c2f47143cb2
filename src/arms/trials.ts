/**
 * @file From arms and seeds to the trials of a comparison, as plain data: pure, so that a resumed
 * comparison plans the same ones, and a trial can be handed to a process of its own.
 */

import { checkRuleName } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, RangeTestError } from "../core/errors.ts";
import { MOST_SEEDS, MOST_TRIALS } from "../core/limits.ts";
import { createOptimizer, isOwnOptimizer, type Optimizer } from "../optimizers/index.ts";
import {
  type ArmRecord,
  type Planned,
  type RangeTestRecord,
  type ScheduleSpec,
  STUDY_DEFAULTS,
  type Task,
  type TrialRecord,
} from "../record/index.ts";
import { needsRangeTest, scheduleOf } from "./arm-rates.ts";
import { DEFAULT_ARMS, parseArms } from "./arms.ts";
import { checkEnds, endsThatAreOn } from "./check-ends.ts";
import { isPartFile, unknownPart } from "./own-parts.ts";
import { checkPruning } from "./pruning.ts";
import { withSensitivity } from "./sensitivity-arms.ts";

/** @throws ArgumentError for arms, seeds, epochs or bounds that no comparison can be made of */
export function checkRequest(request: Planned): readonly ArmRecord[] {
  const {
    epochs,
    seeds = STUDY_DEFAULTS.seeds,
    maxLr,
    baseLr,
    stepSize,
    finderSeeds = STUDY_DEFAULTS.finderSeeds,
  } = request;
  checkPositiveInteger("compare", "epochs", epochs);
  if (seeds.length === 0) throw new ArgumentError("compare: at least one seed must be given");
  checkPositiveInteger("compare", "finderSeeds", finderSeeds);
  if (maxLr !== undefined) checkPositive("compare", "maxLr", maxLr);
  if (baseLr !== undefined) checkPositive("compare", "baseLr", baseLr);
  if (typeof stepSize === "number") checkPositiveInteger("compare", "stepSize", stepSize);
  if (maxLr !== undefined && baseLr !== undefined && baseLr >= maxLr)
    throw new ArgumentError(
      `compare: baseLr must be below maxLr; got baseLr ${baseLr} and maxLr ${maxLr}`,
    );
  if (finderSeeds > MOST_SEEDS)
    throw new ArgumentError(
      `compare: finderSeeds must be at most ${MOST_SEEDS}; got ${finderSeeds}`,
    );
  if (request.rule !== undefined) checkRuleName(request.rule);
  checkEnds("compare", request);
  const arms = armsOf(request);
  checkPruning(request, arms.length);
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
}: Pick<Planned, "optimizers" | "sensitivity">): readonly ArmRecord[] {
  const arms = parseArms(optimizers);
  return sensitivity === undefined ? arms : withSensitivity(arms, sensitivity);
}

/** Whose range test an arm goes by: its own, or that of the arm whose sensitivity it shows. */
const testedAs = ({ name, sensitivity }: ArmRecord): string => sensitivity?.of ?? name;

/** End of a published range test's ramp, unless the optimizer's own rate is near it or beyond. */
const PUBLISHED_END = 0.1;

/**
 * The range tests of the arms whose rates are not known before one; each over `finderSeeds` seeds, the
 * comparison's first and those that follow it. The ramp finds its ends itself unless they are given; of a
 * published test it ends at 0.1, or at ten times the optimizer's default rate where that is more.
 */
export function rangeTestsOf(request: Planned): Task<"range-test">[] {
  const {
    seeds = STUDY_DEFAULTS.seeds,
    finderSeeds = STUDY_DEFAULTS.finderSeeds,
    reading,
    to,
  } = request;
  return checkRequest(request)
    .filter((arm) => testedAs(arm) === arm.name && needsRangeTest(arm, request))
    .map((arm) => {
      const optimizer = optimizerOf(arm, request);
      const first = at(seeds, 0, "seeds");
      return {
        kind: "range-test",
        arm: arm.name,
        slug: arm.slug,
        optimizer: specOf(optimizer),
        seeds: Array.from({ length: finderSeeds }, (_, i) => first + i),
        ...rampOf(request),
        ...(reading === "published" && to === undefined
          ? { to: Math.max(PUBLISHED_END, 10 * optimizer.hyperparameters.learningRate) }
          : {}),
      };
    });
}

/** Of a range test as published, in epochs. */
const PUBLISHED_LENGTH = 2;

type RampFields = "rangeTestUpdates" | "rangeTestEpochs" | "from" | "to" | "ramp" | "rule";

/** What a study says of its range tests; their length always, in one of two ways. */
export function rampOf({
  rangeTestUpdates: updates,
  rangeTestEpochs: epochs,
  reading = STUDY_DEFAULTS.reading,
  ...of
}: Pick<Planned, RampFields | "reading">): Pick<
  Task<"range-test">,
  "updates" | "epochs" | "from" | "to" | "ramp" | "rule" | "reading"
> {
  const { from, to, ramp, rule } = of;
  const usual =
    reading === "published"
      ? { epochs: PUBLISHED_LENGTH }
      : { updates: STUDY_DEFAULTS.rangeTestUpdates };
  const said = updates === undefined ? { epochs } : { updates };
  const length = updates === undefined && epochs === undefined ? usual : said;
  return present({ ...length, from, to, ramp, rule, reading });
}

/** Without those that are undefined. */
const present = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

/**
 * All trials, seed by seed, so that every arm has its first before any has its second.
 * @param rangeTests those of rangeTestsOf; an arm without the one that it needs is left out
 * @throws ArgumentError where the range test's upper bound lies below the lower bound that was given
 */
export function trialsOf(
  request: Planned,
  rangeTests: readonly RangeTestRecord[],
  updatesPerEpoch: number,
): Task<"trial">[] {
  const { seeds = STUDY_DEFAULTS.seeds, epochs } = request;
  const ends = endsThatAreOn(request);
  const arms = checkRequest(request).flatMap((arm) => {
    const optimizer = optimizerOf(arm, request);
    const found = rangeTests.find((record) => record.arm === testedAs(arm));
    if (!found && needsRangeTest(arm, request)) return [];
    return [{ arm, optimizer, ...scheduleOf(arm, optimizer, { request, found, updatesPerEpoch }) }];
  });
  return seeds
    .flatMap((seed) => arms.map((planned) => ({ seed, ...planned })))
    .map(({ seed, arm, optimizer, schedule, source, beside }, index, all) => ({
      kind: "trial",
      arm: arm.name,
      slug: arm.slug,
      seed,
      optimizer: specOf(optimizer),
      schedule,
      ...momentumOf(arm, optimizer, { ...request, beside }),
      learningRateSource: source,
      epochs,
      ...(Object.keys(ends).length > 0 ? { ends } : {}),
      index,
      trials: all.length,
    }));
}

/**
 * Range tests whose finding does not go with what was given (an upper bound below `baseLr`), and why. What
 * was measured decides that, and of one arm alone: its trials cannot begin, those of others can.
 */
export function unusableRangeTests(
  request: Planned,
  rangeTests: readonly RangeTestRecord[],
  updatesPerEpoch: number,
): { task: Task<"range-test">; failure: string }[] {
  const arms = checkRequest(request);
  return rangeTestsOf(request).flatMap((task) => {
    const found = rangeTests.find(({ arm }) => arm === task.arm);
    if (!found) return [];
    try {
      for (const arm of arms)
        if (testedAs(arm) === task.arm)
          scheduleOf(arm, optimizerOf(arm, request), { request, found, updatesPerEpoch });
      return [];
    } catch (error) {
      if (!(error instanceof ArgumentError || error instanceof RangeTestError)) throw error;
      const why = error.message.replace(/^range test of [^:]*: /, "");
      return [{ task, failure: `range test of ${task.arm}: ${why}` }];
    }
  });
}

/** The records of an arm's trials that cannot begin, as its range test failed; of its sensitivity's, too. */
export function unbegunTrials(
  { arm: tested, optimizer }: Pick<Task<"range-test">, "arm" | "optimizer">,
  request: Planned,
  why: Pick<TrialRecord, "failure" | "ended"> & { readonly updatesPerEpoch: number },
): TrialRecord[] {
  const { seeds = STUDY_DEFAULTS.seeds, epochs } = request;
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

export const specOf = ({ name, hyperparameters, dialect }: Optimizer): Task["optimizer"] => ({
  name,
  hyperparameters: { ...hyperparameters },
  ...(dialect && dialect !== "torch" ? { dialect } : {}),
});

/** The arm's optimizer, with what the study says of its hyperparameters. */
export function optimizerOf(
  arm: ArmRecord,
  { momentum, weightDecay }: Pick<Planned, "momentum" | "weightDecay">,
): Optimizer {
  const { dialect, hyperparameters = {}, learningRate } = arm;
  if (isPartFile(arm.optimizer) && !isOwnOptimizer(arm.optimizer))
    throw unknownPart(arm.optimizer, "optimizer");
  const takesMomentum = "momentum" in createOptimizer(arm.optimizer).hyperparameters;
  return createOptimizer(
    arm.optimizer,
    {
      ...(learningRate === null ? {} : { learningRate }),
      ...(momentum !== undefined && takesMomentum ? { momentum } : {}),
      ...(weightDecay !== undefined ? { weightDecay } : {}),
      ...hyperparameters,
    },
    { dialect },
  );
}

/**
 * What --momentum-schedule says, for the optimizers that have a momentum, or beta1. A momentum that was
 * given is used as it is; one that was not follows cycles, as `fit` has it.
 */
function momentumOf(
  arm: ArmRecord,
  { hyperparameters }: Optimizer,
  {
    momentum,
    momentumSchedule,
    beside,
  }: Planned & { readonly beside?: ScheduleSpec | null | undefined },
): Pick<Task<"trial">, "hyperparameterSchedules"> {
  const { momentum: own, beta1 } = arm.hyperparameters ?? {};
  const given =
    own !== undefined ||
    beta1 !== undefined ||
    (momentum !== undefined && "momentum" in hyperparameters);
  if (momentumSchedule === "none" || (momentumSchedule === undefined && given))
    return { hyperparameterSchedules: {} };
  const inverse = momentumSchedule === undefined || momentumSchedule === "inverse";
  const schedule = inverse ? beside : momentumSchedule;
  if (!schedule) return {};
  const name = ["momentum", "beta1"].find((known) => (hyperparameters[known] ?? 0) > 0);
  return name === undefined ? {} : { hyperparameterSchedules: { [name]: schedule } };
}
