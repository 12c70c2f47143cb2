/**
 * @file The work of a study of kind "find": a range test whose seeds are tasks of their own, each kept when
 * it is measured; its reading, once all are; and runs at the rate that it suggests, where they are asked for.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { finderTask, seedTasks } from "../arms/finder-task.ts";
import { AddonError } from "../core/errors.ts";
import { createOptimizer } from "../optimizers/index.ts";
import {
  type RangeTestRecord,
  rangeTestPoint,
  rangeTestRecord,
  type StudyListener,
  versioned,
} from "../record/index.ts";
import { type RunDirectory, readRecord } from "../store/index.ts";
import { confirmSuggestion } from "../train/confirm.ts";
import { rangeTestRecordOf } from "../train/range-test.ts";
import { rangeTestOptionsOf } from "../train/run-trial.ts";
import type { Study } from "./open-study.ts";
import type { TaskRunner } from "./run-tasks.ts";
import { tuneRate } from "./tune-rate.ts";

const RECORD = "range-test.json";

/** One seed's curve, until all are there. */
const measuredRun = z.object({
  formatVersion: z.literal(1),
  seed: z.number().int(),
  points: z.array(rangeTestPoint),
  seconds: z.number(),
});
type MeasuredRun = z.infer<typeof measuredRun>;

const fileOf = (seed: number) => `range-tests/seeds/${seed}.json`;

/** Runs of a study that are not measured yet; what follows the reading counts as one, as nobody knows its runs. */
export function unmeasured(path: string, study: Pick<Study, "spec">): number {
  const { seeds, confirm, tuneEpochs } = study.spec;
  const record = recordIn(path);
  const following =
    Number(confirm !== undefined && !record?.confirmation) +
    Number(tuneEpochs !== undefined && !record?.tuning);
  if (record) return following;
  return seeds.filter((seed) => !existsSync(join(path, fileOf(seed)))).length + following;
}

const recordIn = (path: string): RangeTestRecord | null =>
  existsSync(join(path, RECORD)) ? readRecord(join(path, RECORD), rangeTestRecord) : null;

export interface RunFinderOptions {
  readonly directory: RunDirectory;
  readonly runner: TaskRunner;
  readonly updatesPerEpoch: number;
  readonly onEvent: StudyListener;
  readonly signal: AbortSignal;
}

/**
 * Measures what is not measured, reads the curves, and confirms the suggestion where that is asked for.
 * @throws AddonError where the process of a seed failed; those that were measured are kept
 * @throws RangeTestError where no seed has a finite loss
 */
export async function runFinder(study: Study, options: RunFinderOptions): Promise<void> {
  const { directory, onEvent, signal } = options;
  const { spec, setup } = study;
  const write = (record: RangeTestRecord) =>
    directory.writeText(RECORD, `${JSON.stringify(record, null, 2)}\n`);
  let record = recordIn(directory.path);
  if (!record) {
    const whole = finderTask(spec);
    const measured = await measure(whole, options);
    const seconds = measured.reduce((sum, run) => sum + run.seconds, 0);
    const runs = measured.map(({ seed, points }) => ({ seed, points }));
    record = rangeTestRecordOf(rangeTestOptionsOf(whole), runs, seconds);
    // Written before it is confirmed: what has been measured is on the disk.
    write(record);
    for (const { seed } of runs) directory.remove(fileOf(seed));
    await onEvent(versioned({ type: "range-test-finished", arm: record.arm, record }));
  }
  if (spec.tuneEpochs !== undefined && !record.tuning) {
    record.tuning = await tuneRate({ ...options, study: spec, suggested: startOf(record) });
    write(record);
  }
  if (spec.confirm === undefined || record.confirmation) return;
  const { name, hyperparameters } = finderTask(spec).optimizer;
  const [first] = spec.seeds as [number];
  record.confirmation = await confirmSuggestion({
    ...setup,
    optimizer: createOptimizer(name, hyperparameters),
    rate: record.suggestion.maxLr,
    epochs: spec.confirm,
    seeds: Array.from({ length: Math.max(3, spec.seeds.length) }, (_, index) => first + index),
    onEvent,
    signal,
  });
  write(record);
}

/** The rate that a tuning begins with. */
const startOf = ({ suggestion }: RangeTestRecord): number => suggestion.maxLr;

async function measure(
  whole: ReturnType<typeof finderTask>,
  { directory, runner, onEvent }: RunFinderOptions,
): Promise<MeasuredRun[]> {
  const kept = new Map<number, MeasuredRun>();
  for (const seed of whole.seeds)
    if (existsSync(join(directory.path, fileOf(seed))))
      kept.set(seed, readRecord(join(directory.path, fileOf(seed)), measuredRun));
  const tasks = seedTasks(whole).filter(({ seeds: [seed] }) => !kept.has(seed!));
  const { failed } = await runner.rangeTests(tasks, (event) => {
    if (event.type !== "range-test-run") return onEvent(event);
    const { run, seconds } = event;
    const measured: MeasuredRun = { formatVersion: 1, ...run, seconds };
    directory.writeText(fileOf(run.seed), `${JSON.stringify(measured)}\n`);
    kept.set(run.seed, measured);
    return onEvent(event);
  });
  const [first] = failed;
  if (first)
    throw new AddonError(
      `find: ${failed.length} of ${whole.seeds.length} runs failed (seed ${first.task.seeds[0]}: ${first.failure}); those that were measured are kept, and lrscope find --resume ${directory.path} tries again`,
    );
  return whole.seeds.map((seed) => kept.get(seed)!);
}
