/**
 * @file The work of a study of kind "find": a range test whose seeds are tasks of their own, each kept when
 * it is measured; its reading, once all are; and runs at the rate that it suggests, where they are asked for.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasPeak } from "../../arms/arm-schedules.ts";
import { parseArm } from "../../arms/arms.ts";
import { finderTask, searchTask, seedTasks } from "../../arms/finder-task.ts";
import { at, get, present } from "../../core/at.ts";
import { AddonError } from "../../core/errors.ts";
import { optimizerOfSpec } from "../../optimizers/index.ts";
import {
  type MeasuredRun,
  type MeasuredSearch,
  measuredRun,
  measuredSearch,
  type RangeTestRecord,
  type StudyListener,
  type StudySpec,
  storedRangeTest,
  type Task,
  versioned,
} from "../../record/index.ts";
import { type RunDirectory, readRecord, SEED_CURVES } from "../../store/index.ts";
import { confirmSuggestion } from "../../train/confirm.ts";
import { planRamp } from "../../train/ramp.ts";
import { type MeasuredRamps, rangeTestRecordOf } from "../../train/range-test.ts";
import { rangeTestOptionsOf } from "../../train/run-trial.ts";
import type { Study } from "../open-study.ts";
import type { TaskRunner } from "../run-tasks.ts";
import { tuneRate } from "./tune-rate.ts";

const RECORD = "range-test.json";

const SEARCH = `${SEED_CURVES}/search.json`;

const fileOf = (seed: number) => `${SEED_CURVES}/${seed}.json`;

/** Runs of a study that are not measured yet; what follows the reading counts as one, as nobody knows its runs. */
export function unmeasured(path: string, { spec }: Pick<Study, "spec">): number {
  const { confirm, tuneEpochs } = spec;
  const record = recordIn(path);
  const missing = record ? unread(record, spec) : [];
  const whole = missing.length === 0;
  const following =
    Number(confirm !== undefined && !(whole && record?.confirmation)) +
    Number(tuneEpochs !== undefined && !(whole && record?.tuning));
  if (record && whole) return usableIn(record, spec) ? following : 0;
  const left = record
    ? missing
    : spec.seeds.filter((seed) => !existsSync(join(path, fileOf(seed))));
  return left.length + following;
}

/** Seeds that the study has been given since the test was read. */
const unread = ({ runs }: RangeTestRecord, { seeds }: StudySpec): number[] =>
  seeds.filter((seed) => !runs.some((run) => run.seed === seed));

const recordIn = (path: string): RangeTestRecord | null =>
  existsSync(join(path, RECORD)) ? readRecord(join(path, RECORD), storedRangeTest) : null;

/**
 * Makes of a test that was read the curves of its seeds again, beside which those of further seeds are measured.
 * What each took is not in the record: its share of the whole.
 */
function putBackSeeds(directory: RunDirectory, { runs, search, ...record }: RangeTestRecord): void {
  const seconds = record.seconds / (runs.length + (search ? 1 : 0));
  const write = (file: string, measured: MeasuredRun | MeasuredSearch) =>
    directory.writeText(file, `${JSON.stringify(measured)}\n`);
  for (const run of runs) write(fileOf(run.seed), { formatVersion: 1, ...run, seconds });
  if (search) write(SEARCH, { formatVersion: 1, search, seconds });
  directory.remove(RECORD);
}

export interface RunFinderOptions {
  readonly directory: RunDirectory;
  readonly runner: TaskRunner;
  readonly updatesPerEpoch: number;
  readonly onEvent: StudyListener;
  readonly signal: AbortSignal;
}

/**
 * Measures what is not measured, reads the curves, and confirms the suggestion where that is asked for and
 * there is one: a test that cannot say is a result.
 * @throws AddonError where the process of a seed failed; those that were measured are kept
 */
export async function runFinder(study: Study, options: RunFinderOptions): Promise<void> {
  const { directory, onEvent, signal } = options;
  const { spec, setup } = study;
  const write = (record: RangeTestRecord) =>
    directory.writeText(RECORD, `${JSON.stringify(record, null, 2)}\n`);
  let record = recordIn(directory.path);
  if (record && unread(record, spec).length > 0) {
    putBackSeeds(directory, record);
    record = null;
  }
  if (!record) {
    const whole = finderTask(spec);
    record = rangeTestRecordOf(rangeTestOptionsOf(whole), await measure(study, whole, options));
    // Written before it is confirmed: what has been measured is on the disk.
    write(record);
    for (const { seed } of record.runs) directory.remove(fileOf(seed));
    directory.remove(SEARCH);
    await onEvent(versioned({ type: "range-test-finished", arm: record.arm, record }));
  }
  const usable = usableIn(record, spec);
  if (!usable) return;
  if (spec.tuneEpochs !== undefined && !record.tuning) {
    const use = hasPeak(parseArm(at(spec.optimizers, 0, "optimizers")).schedule)
      ? "peak"
      : "constant";
    const { rate: suggested } = usable[use];
    record.tuning = await tuneRate({ ...options, study: spec, suggested });
    write(record);
  }
  if (spec.confirm === undefined || record.confirmation) return;
  const [first] = spec.seeds as [number];
  record.confirmation = await confirmSuggestion({
    ...setup,
    optimizer: optimizerOfSpec(finderTask(spec).optimizer),
    rate: usable.constant.rate,
    epochs: spec.confirm,
    seeds: Array.from({ length: Math.max(3, spec.seeds.length) }, (_, index) => first + index),
    onEvent,
    signal,
  });
  write(record);
}

/** What the runs after the test may begin with; null where it cannot say, and is not forced. */
const usableIn = ({ suggestion, unguarded }: RangeTestRecord, { force }: StudySpec) =>
  suggestion ?? (force ? unguarded : null);

/** What is kept of each seed, and of the quick ramp before them; the rest measured. */
async function measure(
  { setup }: Pick<Study, "setup">,
  whole: Task<"range-test">,
  options: RunFinderOptions,
): Promise<MeasuredRamps> {
  const { directory } = options;
  const { ends, updates, epochs, untilDiverged } = planRamp({
    ...setup,
    ...rangeTestOptionsOf(whole),
  });
  const found = ends ? null : await search(whole, options);
  const { from, to } = ends ?? present(found, "search").search;
  const kept = new Map<number, MeasuredRun>();
  for (const seed of whole.seeds)
    if (existsSync(join(directory.path, fileOf(seed))))
      kept.set(seed, readRecord(join(directory.path, fileOf(seed)), measuredRun));
  const tasks = seedTasks(whole, { from, to, updates, untilDiverged });
  const left = tasks.filter(({ seeds: [seed] }) => !kept.has(present(seed, "seed")));
  await runAll(left, options, (event) => {
    if (event.type !== "range-test-run") return;
    const { run, seconds } = event;
    const measured: MeasuredRun = { formatVersion: 1, ...run, seconds };
    directory.writeText(fileOf(run.seed), `${JSON.stringify(measured)}\n`);
    kept.set(run.seed, measured);
  });
  const runs = whole.seeds.map((seed) => get(kept, seed, "kept"));
  return {
    runs: runs.map(({ seed, points }) => ({ seed, points })),
    ends: { from, to },
    ...{ updates, epochs, search: found?.search },
    seconds: runs.reduce((sum, run) => sum + run.seconds, found?.seconds ?? 0),
  };
}

async function search(
  whole: Task<"range-test">,
  options: RunFinderOptions,
): Promise<MeasuredSearch> {
  const { directory } = options;
  const file = join(directory.path, SEARCH);
  if (!existsSync(file))
    await runAll([searchTask(whole)], options, (event) => {
      if (event.type !== "range-test-search") return;
      const { search, seconds } = event;
      const measured = { formatVersion: 1, search, seconds };
      directory.writeText(SEARCH, `${JSON.stringify(measured)}\n`);
    });
  return readRecord(file, measuredSearch);
}

/** @throws AddonError where one failed */
async function runAll(
  tasks: readonly Task<"range-test">[],
  { directory, runner, onEvent }: RunFinderOptions,
  keep: StudyListener,
): Promise<void> {
  const { failed } = await runner.rangeTests(tasks, (event) => {
    keep(event);
    return onEvent(event);
  });
  const [first] = failed;
  if (first)
    throw new AddonError(
      `find: ${failed.length} of ${tasks.length} runs failed (seed ${first.task.seeds[0]}: ${first.failure}); those that were measured are kept, and lrscope find --resume ${directory.path} tries again`,
    );
}
