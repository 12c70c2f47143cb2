/** @file What compare, train and demo do: arms x seeds, with records, table and report. */

import type { RangeTestRuleName } from "../analysis/index.ts";
import type { ComparisonRequest } from "../arms/trials.ts";
import { checkScheduleLength } from "../cli/flags/budget.ts";
import type { FlagValues } from "../cli/flags/define-command.ts";
import type { cycleFlags, followFlags } from "../cli/flags/flags.ts";
import type { Span } from "../cli/flags/values.ts";
import { plural } from "../cli/text/format.ts";
import { AddonError, ArgumentError } from "../core/errors.ts";
import type { ArmRecord, StudyEvent, SummaryRecord } from "../record/index.ts";
import type { BudgetOptions } from "../train/budget.ts";
import type { TrainingSetup } from "../train/options.ts";
import type { ProtocolName } from "./protocols.ts";
import type { ExperimentCall, FinishedExperiment, OpenedExperiment } from "./run-experiment.ts";
import { specify } from "./specification.ts";

export interface ComparisonCall
  extends Omit<ExperimentCall, "work" | "arms" | "seeds" | "protocol"> {
  /** `NAME[+SCHEDULE][@RATE]` each. */
  readonly optimizers: readonly string[];
  readonly seeds: number;
  readonly cycle: FlagValues<typeof cycleFlags>;
  readonly flags: ExperimentCall["flags"] & Partial<FlagValues<typeof followFlags>>;
  /** `to` undefined: 0.1, or ten times the optimizer's default rate. */
  readonly ramp?: { readonly from: number; readonly to: number | undefined };
  readonly rangeTestEpochs?: number;
  /** How the rate of range tests rises, and whose reading is taken. */
  readonly rampKind?: "exponential" | "linear";
  readonly rule?: RangeTestRuleName;
  /** What may end a run before its last epoch. */
  readonly budget?: BudgetOptions;
  /** Of arms without a rate of their own; default "defaults". */
  readonly learningRates?: "defaults" | "range-test";
  /** Seeds of each range test; default 1. */
  readonly finderSeeds?: number;
  /** Each arm at so many multiples of its rate. */
  readonly sensitivity?: number;
  /** The published study that is followed: what it sets, the call has already. */
  readonly protocol?: ProtocolName;
  /** What is asked of the results; recorded with the rest of the call. */
  readonly answers?: AnswerOptions;
  /** Camel-case names of the flags that the user wrote: one without effect is refused. */
  readonly given: ReadonlySet<string>;
}

export interface AnswerOptions {
  readonly targets?: readonly number[] | undefined;
  readonly profile?: boolean;
  readonly tensorboard?: boolean;
}

export interface FinishedComparison extends FinishedExperiment {
  readonly summary: SummaryRecord;
  /** Where trials failed: to be thrown once the results of the others are printed. */
  readonly failure: AddonError | null;
}

/**
 * Runs a comparison, each trial in a process of its own, and writes its summary and report. Trials that
 * failed are in them, and in `failure`.
 */
export async function runComparison(call: ComparisonCall): Promise<FinishedComparison> {
  const { kind, given } = call;
  const { protocolOptions } = await import("../train/protocol-options.ts");
  const { armsOf, checkTrials } = await import("../arms/trials.ts");
  const { needsRangeTest } = await import("../arms/arm-rates.ts");
  const { createOptimizer } = await import("../optimizers/index.ts");
  const { seeds, ...experiment } = call;
  const arms = armsOf(call);
  checkTrials(kind, { arms: arms.length, seeds });
  const { isCyclical, isFitted } = await import("../arms/arm-schedules.ts");
  checkCycle(kind, arms, call, { isCyclical, needsRangeTest });
  checkScheduleLength(kind, arms, { ...call, isFitted });
  await momentumScheduleOf(call);
  if (given.has("momentum")) {
    const names = [...new Set(arms.map(({ optimizer }) => optimizer))];
    checkMomentum(kind, names, (name) => createOptimizer(name).hyperparameters);
  }
  const { runExperiment } = await import("./run-experiment.ts");
  const finished = await runExperiment({
    ...experiment,
    arms,
    seeds: seedsOf(call),
    protocol: protocolOptions(protocolOf(call)),
    specification: specify(call),
    check: (setup) => checkTrialsOf(call, setup),
    async work(opened) {
      const { experiment } = opened;
      const runs = arms.length * seeds;
      if (runs > 1)
        call.context.terminal.note(
          `${plural(arms.length, "arm")} x ${plural(seeds, "seed")}: ${runs} runs of ${plural(call.epochs, "epoch")}, ${plural(experiment.protocol.updatesPerEpoch, "update")} an epoch`,
        );
      await runTrialsOf(call, opened);
    },
  });
  return finishedComparison(finished);
}

/** @throws ArgumentError, ShapeError for what its trials would refuse as they begin */
export async function checkTrialsOf(call: ComparisonCall, setup: TrainingSetup): Promise<void> {
  const { checkComparison } = await import("./check-trials.ts");
  const { planEpoch } = await import("../train/compile-options.ts");
  const momentumSchedule = await momentumScheduleOf(call);
  checkComparison(setup, requestOf(call, planEpoch(setup).updatesPerEpoch, momentumSchedule));
}

/** "--seeds 3 --seed 5": 5, 6, 7. */
export const seedsOf = ({ kind, seeds, flags }: Pick<ComparisonCall, "kind" | "seeds" | "flags">) =>
  seedsFrom(kind, flags.seed, seeds);

/** The greatest key of the random streams. */
const GREATEST_SEED = 0xffff_ffff;

/** @throws ArgumentError where they pass the greatest seed */
export function seedsFrom(kind: string, seed: number, count: number): number[] {
  if (seed + count - 1 > GREATEST_SEED)
    throw new ArgumentError(
      `${kind}: --seed and those that follow it must be at most ${GREATEST_SEED}; got --seed ${seed} and ${count} of them`,
    );
  return Array.from({ length: count }, (_, index) => seed + index);
}

/** The options of the protocol as they were asked for. */
export const protocolOf = ({ ramp, rampKind, ...call }: ComparisonCall) => ({
  ...call,
  ...call.budget,
  ramp: rampKind,
  test: call.flags.test,
});

/** All that is not on the disk yet: range tests, then trials. */
export async function runTrialsOf(call: ComparisonCall, opened: OpenedExperiment): Promise<void> {
  const { context } = call;
  const { spec, setup, directory, experiment, progress } = opened;
  const { versioned } = await import("../record/index.ts");
  const { readRun } = await import("../store/index.ts");
  const { planRangeTests, planTrials, unbegunTrials, unusableRangeTests } = await import(
    "../arms/trials.ts"
  );
  const { isFinished } = await import("../train/trial-state.ts");
  const { planOf } = await import("../train/plan.ts");
  const { runRangeTests, runTrials } = await import("./executors/child-process.ts");
  const { updatesPerEpoch } = experiment.protocol;
  const request = requestOf(call, updatesPerEpoch, await momentumScheduleOf(call));
  const before = readRun(directory.path);
  const missing = planRangeTests(request).filter(
    ({ arm }) => !before.rangeTests.some((record) => record.arm === arm),
  );
  const [arm] = experiment.arms;
  const plan = planOf(setup, { name: arm!.optimizer, hyperparameters: {} });
  const { checkOrWritePlan } = await import("./recorded-plan.ts");
  checkOrWritePlan(directory, plan);
  const pool = {
    directory,
    shared: { setup: spec, dataset: experiment.dataset, plan },
    jobs: call.jobs ?? 1,
    updatesPerEpoch,
    signal: context.signal,
    onEvent(event: StudyEvent) {
      if (event.type === "range-test-finished")
        for (const warning of event.record.warnings)
          context.terminal.note(`range test of ${event.arm}: ${warning}`);
      return progress(event);
    },
  };
  const { records, failed } = await runRangeTests(missing, pool);
  const found = [...before.rangeTests, ...records];
  const unusable = unusableRangeTests(request, found, updatesPerEpoch);
  for (const { spec, ...why } of [...failed, ...unusable])
    for (const trial of unbegunTrials(spec, request, { updatesPerEpoch, ...why })) {
      directory.writeTrial(trial);
      directory.appendLog(
        trial.slug,
        trial.seed,
        `${new Date().toISOString()} never began: ${why.failure}`,
      );
      await pool.onEvent(versioned({ type: "trial-finished", trial }));
    }
  const rangeTests = found.filter(({ arm }) => !unusable.some(({ spec }) => spec.arm === arm));
  const trials = planTrials(request, rangeTests, updatesPerEpoch);
  const finished = new Set(
    before.trials
      .filter(({ trial }) => isFinished(trial))
      .map(({ trial }) => `${trial.slug}-${trial.seed}`),
  );
  await runTrials(
    trials.filter(({ slug, seed }) => !finished.has(`${slug}-${seed}`)),
    pool,
  );
}

/** What was done, for printing. */
export const finishedComparison = (finished: FinishedExperiment): FinishedComparison => ({
  ...finished,
  summary: finished.run.summary!,
  failure: failureOf(finished),
});

/** @throws ArgumentError where it is no schedule */
async function momentumScheduleOf({
  flags,
}: ComparisonCall): Promise<ComparisonRequest["momentumSchedule"]> {
  const { momentumSchedule } = flags;
  if (momentumSchedule === undefined || momentumSchedule === "none") return momentumSchedule;
  const { parseSchedule } = await import("../schedules/text/parse-schedule.ts");
  return parseSchedule(momentumSchedule).toJSON();
}

/** What the lab is asked for. */
const requestOf = (
  call: ComparisonCall,
  updatesPerEpoch: number,
  momentumSchedule: ComparisonRequest["momentumSchedule"],
): ComparisonRequest => ({
  optimizers: call.optimizers,
  epochs: call.epochs,
  seeds: seedsOf(call),
  stepSize: updatesOf(call.cycle.stepSize, updatesPerEpoch),
  ...defined({
    momentum: call.flags.momentum,
    weightDecay: call.flags.weightDecay,
    maxLr: call.cycle.maxLr,
    baseLr: call.cycle.baseLr,
    from: call.ramp?.from,
    to: call.ramp?.to,
    rangeTestEpochs: call.rangeTestEpochs,
    ramp: call.rampKind,
    rule: call.rule,
    snapCycles: call.flags.snapCycles,
    momentumSchedule,
    learningRates: call.learningRates,
    finderSeeds: call.finderSeeds,
    sensitivity: call.sensitivity,
    ...call.budget,
  }),
});

/** The entries that are not undefined. */
function defined<T extends Record<string, unknown>>(
  entries: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** "4e" in updates; at least one. */
export function updatesOf({ count, unit }: Span, updatesPerEpoch: number): number {
  const updates = unit === "updates" ? count : Math.max(1, Math.round(count * updatesPerEpoch));
  // Cycles have an up and a down, whose sum has to be exact.
  if (updates > Number.MAX_SAFE_INTEGER / 2)
    throw new ArgumentError(
      `--step-size must come to at most ${Math.floor(Number.MAX_SAFE_INTEGER / 2)} updates; got ${updates}`,
    );
  return updates;
}

/** A flag that no arm would look at is a misunderstanding: say so before hours are spent. */
function checkCycle(
  kind: string,
  arms: readonly ArmRecord[],
  call: ComparisonCall,
  {
    isCyclical,
    needsRangeTest,
  }: {
    isCyclical: (schedule: string | null) => boolean;
    needsRangeTest: (arm: ArmRecord, request: ComparisonRequest) => boolean;
  },
): void {
  const { given, cycle, ramp } = call;
  const cyclical = arms.filter(({ schedule }) => isCyclical(schedule));
  const open = cyclical.filter(({ learningRate }) => learningRate === null);
  const refuse = (flag: string, why: string) => {
    throw new ArgumentError(`${kind}: ${flag} has no effect here: ${why}; leave it out`);
  };
  if (cyclical.length === 0) {
    const example = kind === "train" ? "--schedule clr" : "an arm like sgd+clr";
    for (const [key, flag] of [
      ["maxLr", "--max-lr"],
      ["baseLr", "--base-lr"],
      ["stepSize", "--step-size"],
    ] as const)
      if (given.has(key)) refuse(flag, `it belongs to cyclical learning rates (${example})`);
  }
  if (given.has("maxLr") && open.length === 0)
    refuse("--max-lr", "every cyclical arm has a rate of its own after @");
  const request = {
    epochs: call.epochs,
    ...defined({ learningRates: call.learningRates, maxLr: cycle.maxLr }),
  };
  if (!arms.some((arm) => needsRangeTest(arm, request)))
    for (const [key, flag] of [
      ["from", "--from"],
      ["to", "--to"],
      ["finderSeeds", "--finder-seeds"],
      ["ramp", "--ramp"],
      ["rule", "--rule"],
    ] as const)
      if (given.has(key)) refuse(flag, "no range test is made, as no arm needs one");
  if (
    call.learningRates === "range-test" &&
    arms.every(({ learningRate }) => learningRate !== null)
  )
    refuse("--learning-rates range-test", "every arm has a rate of its own after @");
  if (ramp) checkRamp(kind, ramp);
  if (cycle.maxLr !== undefined && cycle.baseLr !== undefined && cycle.baseLr >= cycle.maxLr)
    throw new ArgumentError(
      `${kind}: --base-lr must be below --max-lr; got ${cycle.baseLr} and ${cycle.maxLr}. Swap them, or leave --base-lr out for --max-lr / 6`,
    );
}

/** @throws ArgumentError unless --from < --to */
export function checkRamp(
  kind: string,
  { from, to = 0.1 }: { from: number; to?: number | undefined },
): void {
  if (from >= to)
    throw new ArgumentError(
      `${kind}: --from must be below --to; got --from ${from} and --to ${to}. Swap them, or raise --to`,
    );
}

/** @throws ArgumentError where none of the optimizers has a momentum */
export function checkMomentum(
  kind: string,
  names: readonly string[],
  hyperparameters: (name: string) => Readonly<Record<string, number>>,
): void {
  if (!names.some((name) => "momentum" in hyperparameters(name)))
    throw new ArgumentError(
      `${kind}: --momentum has no effect here: ${names.join(", ")} ${names.length === 1 ? "has" : "have"} none; leave it out, or use sgd or rmsprop`,
    );
}

function failureOf({ path, run: { experiment, trials } }: FinishedExperiment): AddonError | null {
  const failed = trials.filter(({ trial }) => trial.status === "failed");
  const first = failed[0]?.trial;
  if (!first) return null;
  return new AddonError(
    `${failed.length} of ${trials.length} runs failed (${first.arm}, seed ${first.seed}: ${first.failure}); all that was recorded is kept, and lrscope ${experiment.kind === "train" ? "train" : "compare"} --resume ${path} tries again`,
  );
}
