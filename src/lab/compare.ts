/**
 * @file The comparison: arms x seeds on equal terms. For a seed, every arm begins from the same
 * weights and sees the same batches, augmentation and dropout.
 */

import { summarize } from "../analysis/index.ts";
import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import { createOptimizer, type Optimizer } from "../optimizers/index.ts";
import type {
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
  TrialRecord,
} from "../record/index.ts";
import {
  constant,
  cosineDecay,
  formatRate,
  oneCycle,
  type Schedule,
  triangular,
} from "../schedules/index.ts";
import { PUBLISHED_ARMS, type parseArm, parseArms } from "./arms.ts";
import { describeExperiment } from "./experiment.ts";
import { fit } from "./fit.ts";
import type { CompareOptions } from "./options.ts";
import { rangeTest } from "./range-test.ts";
import { planEpoch } from "./trainer.ts";

type Arm = ReturnType<typeof parseArm>;

/** What a comparison leaves: the records that a run directory would hold. */
export interface CompareResult {
  readonly experiment: ExperimentRecord;
  readonly rangeTests: readonly RangeTestRecord[];
  readonly trials: readonly { trial: TrialRecord; metrics: EpochMetrics[] }[];
  readonly summary: SummaryRecord;
}

/** Bounds of a cyclical arm, and where they came from. */
interface Bounds {
  readonly maxLr: number;
  readonly baseLr: number;
  readonly source: string;
}

/**
 * Trains every arm once a seed, and summarises. A cyclical arm without a rate of its own (by
 * `@RATE` or `maxLr`) begins with a range test: upper bound = rate at the smoothed minimum / 10,
 * lower bound = upper / 6. A trial that diverges is recorded as such, and the others go on.
 *
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws InterruptedError where `signal` aborts
 */
export async function compare(options: CompareOptions): Promise<CompareResult> {
  const { epochs, seeds = [0, 1, 2] } = options;
  checkPositiveInteger("compare", "epochs", epochs);
  if (seeds.length === 0) throw new ArgumentError("compare: at least one seed must be given");
  const arms = parseArms(options.optimizers ?? PUBLISHED_ARMS);
  checkBounds(options);
  const optimizers = new Map(arms.map((arm) => [arm.name, optimizerOf(arm, options)]));
  const experiment = describeExperiment({ kind: "compare", setup: options, arms, epochs, seeds });

  const rangeTests: RangeTestRecord[] = [];
  const bounds = new Map<string, Bounds>();
  for (const arm of arms.filter(({ schedule }) => schedule === "clr"))
    bounds.set(arm.name, await boundsOf(arm, optimizers.get(arm.name)!, options, rangeTests));

  const trials: { trial: TrialRecord; metrics: EpochMetrics[] }[] = [];
  const jobs = seeds.flatMap((seed) => arms.map((arm) => ({ seed, arm })));
  for (const [index, { seed, arm }] of jobs.entries()) {
    const optimizer = optimizers.get(arm.name)!;
    const { schedule, source } = scheduleOf(arm, optimizer, options, bounds.get(arm.name));
    let last: TrialRecord | undefined;
    const metrics: EpochMetrics[] = [];
    try {
      await fit({
        ...options,
        optimizer,
        schedule,
        seed,
        epochs,
        arm: arm.name,
        slug: arm.slug,
        learningRateSource: source,
        index,
        trials: jobs.length,
        onEvent(event) {
          if (event.type === "trial-started" || event.type === "trial-finished") last = event.trial;
          if (event.type === "epoch") metrics.push(event.metrics);
          return options.onEvent?.(event);
        },
      });
    } catch (error) {
      // A failed trial is recorded and the others go on; what no other trial could survive ends it.
      if (error instanceof InterruptedError || last?.status !== "failed") throw error;
      if (!(error instanceof Error) || isFatal(error)) throw error;
    }
    if (last) trials.push({ trial: last, metrics });
  }
  return { experiment, rangeTests, trials, summary: summarize(experiment, trials) };
}

/** Full disks and bad calls meet every trial alike. */
const isFatal = (error: Error) =>
  "code" in error && ["STORE", "ARGUMENT", "SHAPE", "DATA", "WEIGHTS"].includes(String(error.code));

function checkBounds({ maxLr, baseLr, stepSize }: CompareOptions): void {
  if (maxLr !== undefined) checkPositive("compare", "maxLr", maxLr);
  if (baseLr !== undefined) checkPositive("compare", "baseLr", baseLr);
  if (stepSize !== undefined) checkPositiveInteger("compare", "stepSize", stepSize);
  if (maxLr !== undefined && baseLr !== undefined && baseLr >= maxLr)
    throw new ArgumentError(
      `compare: baseLr must be below maxLr; got baseLr ${baseLr} and maxLr ${maxLr}`,
    );
}

function optimizerOf(arm: Arm, { momentum, weightDecay }: CompareOptions): Optimizer {
  const takesMomentum = "momentum" in createOptimizer(arm.optimizer).hyperparameters;
  return createOptimizer(arm.optimizer, {
    ...(arm.learningRate === null ? {} : { learningRate: arm.learningRate }),
    ...(momentum && takesMomentum ? { momentum } : {}),
    ...(weightDecay ? { weightDecay } : {}),
  });
}

async function boundsOf(
  arm: Arm,
  optimizer: Optimizer,
  options: CompareOptions,
  rangeTests: RangeTestRecord[],
): Promise<Bounds> {
  const given = arm.learningRate ?? options.maxLr;
  const below = (maxLr: number) => options.baseLr ?? maxLr / 6;
  if (given !== undefined)
    return { maxLr: given, baseLr: below(given), source: `given: ${formatRate(given)}` };
  const { from, to, rangeTestEpochs, seeds = [0] } = options;
  const record = await rangeTest({
    ...options,
    optimizer,
    arm: arm.name,
    seeds: seeds.slice(0, 1),
    epochs: rangeTestEpochs ?? 2,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });
  rangeTests.push(record);
  const { maxLr } = record.suggestion;
  if (options.baseLr !== undefined && options.baseLr >= maxLr)
    throw new ArgumentError(
      `compare: baseLr must be below the range test's upper bound ${maxLr} of ${arm.name}; got ${options.baseLr}. Leave --base-lr out, or give --max-lr`,
    );
  return { maxLr, baseLr: below(maxLr), source: `range test: ${formatRate(maxLr)}` };
}

function scheduleOf(
  arm: Arm,
  optimizer: Optimizer,
  options: CompareOptions,
  bounds: Bounds | undefined,
): { schedule: Schedule; source: string } {
  const { updatesPerEpoch } = planEpoch(options);
  const rate = optimizer.hyperparameters.learningRate!;
  const steps = options.epochs * updatesPerEpoch;
  const source =
    arm.learningRate === null ? `default of ${optimizer.name}` : `given: ${formatRate(rate)}`;
  switch (arm.schedule) {
    case "clr":
      return {
        schedule: triangular({
          base: bounds!.baseLr,
          max: bounds!.maxLr,
          stepSize: options.stepSize ?? 4 * updatesPerEpoch,
        }),
        source: bounds!.source,
      };
    case "cosine":
      return { schedule: cosineDecay({ peak: rate, steps }), source };
    case "1cycle":
      return { schedule: oneCycle({ max: rate, steps }), source };
    case null:
      return { schedule: constant(rate), source };
  }
}
