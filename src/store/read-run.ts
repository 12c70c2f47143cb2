/**
 * @file A run directory as it was left, finished or not. Everything is checked against the schemas;
 * an unfinished last line of metrics.jsonl (the machine stopped in mid-write) is passed over.
 */

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { z } from "zod";
import { StoreError } from "../core/errors.ts";
import { readRegularFile } from "../files/regular-file.ts";
import {
  type ExperimentRecord,
  epochMetrics,
  experimentRecord,
  isEpochMetrics,
  type MeasuredRun,
  measuredRun,
  type RangeTestRecord,
  type SummaryRecord,
  storedRangeTest,
  summaryRecord,
  type TrialHistory,
  type TrialRecord,
  trialRecord,
} from "../record/index.ts";
import { reasonOf } from "./durable-write.ts";

export interface Run {
  readonly experiment: ExperimentRecord;
  readonly rangeTests: RangeTestRecord[];
  /** In the order of the experiment's arms, then of seeds. */
  readonly trials: readonly TrialHistory[];
  /** null where the run did not get that far. */
  readonly summary: SummaryRecord | null;
}

/** Reads all records of a run directory. @throws StoreError, exit code 2, naming the file and what is wrong with it */
export function readRun(path: string): Run {
  const experimentFile = join(path, "experiment.json");
  if (!existsSync(path)) {
    throw new StoreError(
      `${path}: no such folder; a run directory is what --out named, or a folder under lrscope-runs/`,
      { exitCode: 2 },
    );
  }
  if (!existsSync(experimentFile)) {
    throw new StoreError(`${path}: is not a run directory (it has no experiment.json)`, {
      exitCode: 2,
    });
  }
  const experiment = readRecord(experimentFile, experimentRecord);
  const summaryFile = join(path, "summary.json");
  const order = new Map(experiment.arms.map((arm, index) => [arm.slug, index]));
  const rank = ({ trial }: TrialHistory) => order.get(trial.slug) ?? order.size;
  // Those of a range test tune its rate, and are no arms that are set side by side.
  const trials = experiment.kind === "find" ? [] : readTrials(path);
  trials.sort((a, b) => rank(a) - rank(b) || a.trial.seed - b.trial.seed);
  return {
    experiment,
    rangeTests: rangeTestFiles(path).map((file) => readRecord(file, storedRangeTest)),
    trials,
    summary: existsSync(summaryFile) ? readRecord(summaryFile, summaryRecord) : null,
  };
}

/** Every trial that has a folder in a run directory, by the folders' names. @throws StoreError as readRun does */
export const readTrials = (path: string): TrialHistory[] =>
  entries(join(path, "trials"))
    .map((name) => join(path, "trials", name))
    // A folder without trial.json is one that was made just before the machine stopped.
    .filter((folder) => existsSync(join(folder, "trial.json")))
    .map(historyIn);

/** One trial by its folder's name; null where it has not begun. @throws StoreError as readRun does */
export function readTrial(path: string, name: string): TrialHistory | null {
  const folder = join(path, "trials", name);
  return existsSync(join(folder, "trial.json")) ? historyIn(folder) : null;
}

const historyIn = (folder: string): TrialHistory => ({
  trial: trialIn(folder),
  metrics: readLines(join(folder, "metrics.jsonl"), epochMetrics, isEpochMetrics),
});

/** @throws StoreError where it is the record of another trial: its files are sought by what it says */
function trialIn(folder: string): TrialRecord {
  const trial = readRecord(join(folder, "trial.json"), trialRecord);
  const name = `${trial.slug}-${trial.seed}`;
  if (name !== basename(folder))
    throw new StoreError(
      `${join(folder, "trial.json")}: is the record of another trial, "${name}"; bring back the one that was there`,
      { exitCode: 2 },
    );
  return trial;
}

/** Where a range test keeps each seed's curve until all are there and read. */
export const SEED_CURVES = "range-tests/seeds";

/** The seeds' curves of a range test that is under way. @throws StoreError as readRun does */
export const measuredRuns = (path: string): MeasuredRun[] =>
  entries(join(path, SEED_CURVES))
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => readRecord(join(path, SEED_CURVES, name), measuredRun));

/** `find` writes one range-test.json; `compare` one an arm in a folder. */
function rangeTestFiles(path: string): string[] {
  const single = join(path, "range-test.json");
  const several = entries(join(path, "range-tests"))
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(path, "range-tests", name));
  return existsSync(single) ? [single, ...several] : several;
}

/** Names in a folder, without temporary and hidden ones, sorted; none where there is no folder. */
function entries(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => !name.startsWith("."))
    .sort();
}

/**
 * The whole lines of a file of ours, none where there is no file.
 * @param isPlainly whether the schema would return a value as it is, where that is told faster
 * @throws StoreError, exit code 2
 */
export function readLines<S extends z.ZodType>(
  file: string,
  schema: S,
  isPlainly?: (value: unknown) => value is z.infer<S>,
): z.infer<S>[] {
  if (!existsSync(file)) return [];
  const lines = readText(file).split("\n");
  // What follows the last newline was not finished; it is empty where all is well.
  lines.pop();
  return lines.map((line, index) =>
    parseRecord(`${file}, line ${index + 1}`, line, schema, isPlainly),
  );
}

/** One JSON file of ours. @throws StoreError, exit code 2 */
export function readRecord<S extends z.ZodType>(file: string, schema: S): z.infer<S> {
  return parseRecord(file, readText(file), schema);
}

function readText(file: string): string {
  try {
    const bytes = readRegularFile(file);
    if (bytes !== null) return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(`${file}: cannot be read: ${reasonOf(error)}`, {
      exitCode: 2,
      cause: error,
    });
  }
  throw new StoreError(`${file}: cannot be read: it is not there`, { exitCode: 2 });
}

function parseRecord<S extends z.ZodType>(
  where: string,
  text: string,
  schema: S,
  isPlainly?: (value: unknown) => value is z.infer<S>,
): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StoreError(`${where}: is not JSON: ${(error as Error).message}`, {
      exitCode: 2,
      cause: error,
    });
  }
  if (isPlainly?.(value)) return value;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (issue?.path[0] === "formatVersion" && version !== undefined) {
    throw new StoreError(
      `${where}: has format ${JSON.stringify(version)}, which this version of lrscope does not read; use the one that wrote it, or a newer one`,
      { exitCode: 2 },
    );
  }
  const place = issue?.path.join(".");
  throw new StoreError(
    `${where}: is not a record of lrscope's${place ? `: ${place}` : ""}: ${issue?.message ?? "unknown form"}`,
    {
      exitCode: 2,
    },
  );
}
