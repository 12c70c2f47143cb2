/** @file What compare, train and demo do: arms x seeds, with records, table and report. */

import { AddonError, ArgumentError } from "../core/errors.ts";
import type { ArmRecord, SummaryRecord } from "../record/index.ts";
import type { Run } from "../store/index.ts";
import type { FlagValues } from "./define-command.ts";
import { type ExperimentCall, type FinishedExperiment, runExperiment } from "./experiment.ts";
import type { cycleFlags, rampFlags } from "./flags.ts";
import { plural } from "./format.ts";
import type { Span } from "./values.ts";

export interface ComparisonCall extends Omit<ExperimentCall, "work" | "arms" | "seeds"> {
  /** `NAME[+SCHEDULE][@RATE]` each. */
  readonly optimizers: readonly string[];
  readonly seeds: number;
  readonly cycle: FlagValues<typeof cycleFlags>;
  readonly ramp?: FlagValues<typeof rampFlags>;
  readonly rangeTestEpochs?: number;
  /** Camel-case names of the flags that the user wrote: one without effect is refused. */
  readonly given: ReadonlySet<string>;
}

export interface FinishedComparison extends FinishedExperiment {
  readonly summary: SummaryRecord;
}

/**
 * Runs a comparison and writes its summary and report.
 * @throws AddonError, after all is written, where a trial failed
 */
export async function runComparison(call: ComparisonCall): Promise<FinishedComparison> {
  const { kind, flags, given, cycle, ramp } = call;
  const { compare, parseArms, recordRun } = await import("../lab/index.ts");
  const { createOptimizer } = await import("../optimizers/index.ts");
  const { summarize } = await import("../analysis/index.ts");
  const arms = parseArms(call.optimizers);
  checkCycle(kind, arms, call);
  if (given.has("momentum")) {
    const names = [...new Set(arms.map(({ optimizer }) => optimizer))];
    checkMomentum(kind, names, (name) => createOptimizer(name).hyperparameters);
  }
  const seeds = Array.from({ length: call.seeds }, (_, index) => flags.seed + index);
  let summary: SummaryRecord | undefined;

  const finished = await runExperiment({
    ...call,
    arms,
    seeds,
    async work({ setup, directory, experiment, progress }) {
      const record = recordRun(directory);
      const runs = arms.length * seeds.length;
      if (runs > 1)
        call.context.terminal.note(
          `${plural(arms.length, "arm")} x ${plural(seeds.length, "seed")}: ${runs} runs of ${plural(call.epochs, "epoch")}, ${plural(experiment.protocol.updatesPerEpoch, "update")} an epoch`,
        );
      const { updatesPerEpoch } = experiment.protocol;
      const result = await compare({
        ...setup,
        optimizers: call.optimizers,
        epochs: call.epochs,
        seeds,
        stepSize: updatesOf(cycle.stepSize, updatesPerEpoch),
        ...defined({
          momentum: flags.momentum,
          weightDecay: flags.weightDecay,
          maxLr: cycle.maxLr,
          baseLr: cycle.baseLr,
          from: ramp?.from,
          to: ramp?.to,
          rangeTestEpochs: call.rangeTestEpochs,
        }),
        onEvent(event) {
          // Recorded first: what the user has read about is on the disk.
          const recorded = record(event);
          void progress(event);
          if (event.type === "range-test-finished")
            for (const warning of event.record.warnings)
              call.context.terminal.note(`range test of ${event.arm}: ${warning}`);
          return recorded;
        },
      });
      // Of the experiment as recorded, which knows the command's flags too.
      summary = summarize(experiment, result.trials);
      directory.writeSummary(summary);
    },
  });
  throwFailures(finished.run);
  return { ...finished, summary: summary! };
}

/** The entries that are not undefined. */
function defined<T extends Record<string, unknown>>(
  entries: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** "4e" in updates; at least one. */
export const updatesOf = ({ count, unit }: Span, updatesPerEpoch: number): number =>
  unit === "updates" ? count : Math.max(1, Math.round(count * updatesPerEpoch));

/** A flag that no arm would look at is a misunderstanding: say so before hours are spent. */
function checkCycle(kind: string, arms: readonly ArmRecord[], call: ComparisonCall): void {
  const { given, cycle, ramp } = call;
  const cyclical = arms.filter(({ schedule }) => schedule === "clr");
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
  if (open.length === 0 || cycle.maxLr !== undefined)
    for (const key of ["from", "to"] as const)
      if (given.has(key)) refuse(`--${key}`, "no range test is made, as no arm needs one");
  if (ramp) checkRamp(kind, ramp);
  if (cycle.maxLr !== undefined && cycle.baseLr !== undefined && cycle.baseLr >= cycle.maxLr)
    throw new ArgumentError(
      `${kind}: --base-lr must be below --max-lr; got ${cycle.baseLr} and ${cycle.maxLr}. Swap them, or leave --base-lr out for --max-lr / 6`,
    );
}

/** @throws ArgumentError unless --from < --to */
export function checkRamp(kind: string, { from, to }: { from: number; to: number }): void {
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

function throwFailures({ trials }: Run): void {
  const failed = trials.filter(({ trial }) => trial.status === "failed");
  const first = failed[0]?.trial;
  if (first)
    throw new AddonError(
      `${failed.length} of ${trials.length} runs failed (${first.arm}, seed ${first.seed}: ${first.failure}); all that was recorded is kept`,
    );
}
