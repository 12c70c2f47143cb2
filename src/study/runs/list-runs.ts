/** @file The runs in a folder: what each is, how far it came, what it takes, and what was said of it. */

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { mean, secondsLeft } from "../../analysis/index.ts";
import { LrscopeError, StoreError } from "../../core/errors.ts";
import type { ExperimentRecord, LeadingArm, ListedStudy, RunStatus } from "../../record/index.ts";
import {
  filesOfRun,
  leaseHolder,
  measuredRuns,
  type Run,
  readRun,
  runFolders,
  stoppedArms,
} from "../../store/index.ts";
import { budgetReached } from "../budget-reached.ts";
import { unfinished } from "../resuming/unfinished.ts";
import { readNotes } from "./annotate-run.ts";

/** Where runs go that were not told where. */
export const RUNS_FOLDER = "lrscope-runs";

export interface ListedRun extends ListedStudy {
  readonly path: string;
}

export interface RunFilter {
  readonly kind?: ExperimentRecord["kind"] | undefined;
  readonly status?: RunStatus | undefined;
  readonly tag?: string | undefined;
  /** In its name, data set, network, arms or note; in any case. */
  readonly text?: string | undefined;
}

/**
 * The runs in a folder and those within it, newest first, damaged ones last; or the one that the folder is.
 * A folder is a run where it has an experiment.json.
 * @throws StoreError, exit code 2, where there is no such folder
 */
export function listRuns(folder: string = RUNS_FOLDER, filter: RunFilter = {}): ListedRun[] {
  const made = ({ about }: ListedRun) => about?.created ?? "";
  if (!existsSync(folder))
    throw new StoreError(
      `runs: there is no folder ${folder}; name one that holds runs, or begin one (lrscope demo)`,
      { exitCode: 2 },
    );
  return runFolders(folder)
    .map(describeRun)
    .filter((run) => passes(run, filter))
    .sort((a, b) => (made(a) < made(b) ? 1 : made(a) > made(b) ? -1 : a.path < b.path ? -1 : 1));
}

/** One run. */
export function describeRun(path: string): ListedRun {
  const { bytes, weightBytes } = filesOfRun(path);
  const files = { path, name: basename(resolve(path)), bytes, weightBytes };
  try {
    const { note, tags } = readNotes(path);
    const run = readRun(path);
    const isRunning = leaseHolder(path) !== null;
    const about = aboutOf(path, run, isRunning);
    const failed = run.trials.some(({ trial }) => trial.status === "failed");
    const ended = about.done >= about.runs && unfinished(path, run) === 0;
    const status = isRunning
      ? ("running" as const)
      : ended
        ? ("finished" as const)
        : failed
          ? ("failed" as const)
          : budgetReached(path, run)
            ? ("budget-reached" as const)
            : ("unfinished" as const);
    return { ...files, status, reason: null, about, note, tags };
  } catch (error) {
    if (!(error instanceof LrscopeError)) throw error;
    return { ...files, status: "damaged", reason: error.message, about: null, note: "", tags: [] };
  }
}

function aboutOf(path: string, run: Run, isRunning: boolean): NonNullable<ListedRun["about"]> {
  const { experiment, rangeTests } = run;
  const { kind, created, dataset, model, arms, protocol, specification } = experiment;
  const isFind = kind === "find";
  const runs = isFind ? protocol.seeds.length : arms.length * protocol.seeds.length;
  const [record] = isFind ? rangeTests : [];
  return {
    ...{ kind, created, dataset: dataset.name, model: model.name },
    arms: isFind && specification ? [...specification.optimizers] : arms.map(({ name }) => name),
    ...{ seeds: protocol.seeds.length, epochs: protocol.epochs, runs },
    done: Math.max(0, runs - unfinished(path, run)),
    secondsLeft: isRunning ? timeLeft(path, run) : null,
    best: isFind ? null : leader(run, (accuracies) => accuracies.at(-1)),
    bestEpoch: isFind ? null : leader(run, (accuracies) => Math.max(...accuracies)),
    rate: record?.tuning?.rate ?? record?.suggestion?.constant.rate ?? null,
  };
}

/** Of a range test by its seeds that are measured; what follows the test is not known. */
function timeLeft(path: string, { experiment, rangeTests, trials }: Run): number | null {
  if (experiment.kind !== "find")
    return secondsLeft({ experiment, trials, stopped: stoppedArms(path) });
  if (rangeTests.length > 0) return null;
  const took = measuredRuns(path).map(({ seconds }) => seconds);
  const left = experiment.protocol.seeds.length - took.length;
  if (took.length === 0 || left <= 0) return null;
  return (left * mean(took)) / (experiment.specification?.jobs ?? 1);
}

/** The arm that comes out highest, by what one of its trials' accuracies says of it. */
function leader(
  { experiment, trials }: Run,
  say: (accuracies: readonly number[]) => number | undefined,
): LeadingArm | null {
  const scored = experiment.arms.flatMap(({ name, slug }) => {
    const accuracies = trials
      // One whose arm was pruned stopped at another epoch than the others.
      .filter(({ trial }) => trial.slug === slug && trial.rung === undefined)
      .map(({ metrics }) => metrics.flatMap(({ validationAccuracy }) => validationAccuracy ?? []))
      .flatMap((own) => (own.length === 0 ? [] : (say(own) ?? [])));
    return accuracies.length === 0 ? [] : [{ arm: name, accuracy: mean(accuracies) }];
  });
  return scored.sort((a, b) => b.accuracy - a.accuracy)[0] ?? null;
}

function passes({ name, status, about, note, tags }: ListedRun, filter: RunFilter): boolean {
  const words = [name, note, about?.dataset, about?.model, ...(about?.arms ?? [])];
  return (
    (filter.kind === undefined || about?.kind === filter.kind) &&
    (filter.status === undefined || status === filter.status) &&
    (filter.tag === undefined || tags.includes(filter.tag)) &&
    (filter.text === undefined ||
      words.join("\n").toLowerCase().includes(filter.text.toLowerCase()))
  );
}
