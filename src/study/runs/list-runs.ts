/** @file The runs in a folder: what each is, how far it came, what it takes, and what was said of it. */

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { mean } from "../../analysis/index.ts";
import { LrscopeError, StoreError } from "../../core/errors.ts";
import type { ExperimentRecord } from "../../record/index.ts";
import { filesOfRun, leaseHolder, type Run, readRun, runFolders } from "../../store/index.ts";
import { unfinished } from "../resuming/unfinished.ts";
import { readNotes } from "./annotate-run.ts";

/** Where runs go that were not told where. */
export const RUNS_FOLDER = "lrscope-runs";

/** "running": a process holds it. "failed": a run of it did. "damaged": its records cannot be read. */
export const RUN_STATUSES = ["running", "finished", "unfinished", "failed", "damaged"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface ListedRun {
  readonly path: string;
  /** The folder's own name. */
  readonly name: string;
  readonly status: RunStatus;
  /** Why its records cannot be read; null where they can. */
  readonly reason: string | null;
  /** Of a damaged one null, as all that is not about its files. */
  readonly about: {
    readonly kind: ExperimentRecord["kind"];
    /** ISO 8601. */
    readonly created: string;
    readonly dataset: string;
    readonly model: string;
    readonly arms: readonly string[];
    readonly seeds: number;
    readonly epochs: number;
    /** Runs, or seeds of a range test, and those at their end. */
    readonly runs: number;
    readonly done: number;
    /** The arm of the highest mean accuracy after its last epoch; null where nothing was validated, or of a range test. */
    readonly best: { readonly arm: string; readonly accuracy: number } | null;
    /** Of a range test that could say: the constant rate that it suggests, or that was tuned. */
    readonly rate: number | null;
  } | null;
  readonly note: string;
  readonly tags: readonly string[];
  /** Of all its files, and of its weights among them. */
  readonly bytes: number;
  readonly weightBytes: number;
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
    const about = aboutOf(path, run);
    const failed = run.trials.some(({ trial }) => trial.status === "failed");
    const ended = about.done >= about.runs && unfinished(path, run) === 0;
    const status = leaseHolder(path)
      ? ("running" as const)
      : ended
        ? ("finished" as const)
        : failed
          ? ("failed" as const)
          : ("unfinished" as const);
    return { ...files, status, reason: null, about, note, tags };
  } catch (error) {
    if (!(error instanceof LrscopeError)) throw error;
    return { ...files, status: "damaged", reason: error.message, about: null, note: "", tags: [] };
  }
}

function aboutOf(path: string, run: Run): NonNullable<ListedRun["about"]> {
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
    best: isFind ? null : bestOf(run),
    rate: record?.tuning?.rate ?? record?.suggestion?.constant.rate ?? null,
  };
}

function bestOf({ experiment, trials }: Run) {
  const scored = experiment.arms.flatMap(({ name, slug }) => {
    const accuracies = trials
      .filter(({ trial }) => trial.slug === slug)
      .map(({ metrics }) => metrics.at(-1)?.validationAccuracy)
      .filter((value) => typeof value === "number");
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
