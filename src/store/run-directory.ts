/**
 * @file One experiment's folder, for the one process that writes it. No record in it holds a path of the
 * machine; log.txt may, as it takes whatever a trial's process prints:
 *
 *   experiment.json  plan.json  range-tests/<arm>.json
 *   trials/<arm>-<seed>/{trial.json, metrics.jsonl, log.txt, *.safetensors}
 *   tasks/<key>.json of what has not ended
 *   summary.json  report.html  figures/*.svg  derived.json
 */

import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, isAbsolute, join, normalize, resolve } from "node:path";
import { withCleanup } from "../core/cleanup.ts";
import { InternalError, StoreError } from "../core/errors.ts";
import { shortName } from "../core/short-name.ts";
import { shareable } from "../files/machine-folders.ts";
import { makeFolders } from "../files/make-folders.ts";
import { readRegularFile } from "../files/regular-file.ts";
import type {
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
  TrialRecord,
} from "../record/index.ts";
import { isFinished } from "../train/trial-state.ts";
import { appendLine, makeFolder, reasonOf, replaceFile, writeFailure } from "./durable-write.ts";
import { type Fence, inUse, isOwn, leaseHolder } from "./lease.ts";
import { isLeftover, sweepTemporaries } from "./sweep.ts";

/** All writes throw StoreError (exit code 1) naming the file and what is kept. */
export interface RunDirectory {
  readonly path: string;
  /** What every write asks first; absent where nobody holds the folder. */
  readonly fence?: Fence;
  /** plan.json: how the step was compiled. */
  writePlan(plan: unknown): void;
  /** Path of range-tests/<slug>.json, which need not be there. */
  rangeTestFile(slug: string): string;
  /** range-tests/<slug>.json */
  writeRangeTest(slug: string, record: RangeTestRecord): void;
  /** Path of range-tests/<slug>.log, for what a range test's process prints; its folder exists. */
  rangeTestLog(slug: string): string;
  /** trials/<slug>-<seed>/trial.json; replaced whole at each change of status. */
  writeTrial(trial: TrialRecord): void;
  /** One line of trials/<slug>-<seed>/metrics.jsonl, on the disk when this returns. */
  appendMetrics(slug: string, seed: number, metrics: EpochMetrics): void;
  /** metrics.jsonl cut back to these epochs, as a checkpoint knows them, or completed to them. */
  restoreMetrics(slug: string, seed: number, metrics: readonly EpochMetrics[]): void;
  /** One line of trials/<slug>-<seed>/log.txt. */
  appendLog(slug: string, seed: number, line: string): void;
  /** Folder of the checkpoints of a trial under way. */
  checkpoints(slug: string, seed: number): string;
  /** Path of a file of the trial's; its folder exists when this returns. */
  trialFile(slug: string, seed: number, name: string): string;
  /** summary.json */
  writeSummary(summary: SummaryRecord): void;
  /** Any file by a relative name: "report.html", "figures/accuracy.svg". */
  writeText(name: string, text: string): void;
  writeBytes(name: string, bytes: Uint8Array): void;
  /** Takes a file away by a relative name, where there is one. */
  remove(name: string): void;
}

/** Pretty-printed, as people read these files too. */
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Make the folder, and its parents, and write experiment.json. An empty folder, or one that holds
 * nothing but a lock and what a killed process left as it began, is taken as it is.
 * @throws StoreError, exit code 2, as checkRunDirectory does
 */
export function createRunDirectory(
  path: string,
  experiment: ExperimentRecord,
  fence?: Fence,
): RunDirectory {
  checkRunDirectory(path);
  try {
    makeFolders(path);
  } catch (error) {
    throw unusable(path, reasonOf(error), error);
  }
  sweepTemporaries(path);
  const directory = openRunDirectory(path, fence);
  directory.writeText("experiment.json", json(experiment));
  return directory;
}

/**
 * Whether createRunDirectory will be able to take this path, before anything long is begun.
 * Leaves nothing behind.
 * @throws StoreError, exit code 2: the folder holds an experiment or other files, or cannot be written
 */
export function checkRunDirectory(path: string): void {
  const full = resolve(path);
  let present: string[];
  try {
    present = existsSync(full) ? readdirSync(full).filter((name) => !isLeftover(name)) : [];
  } catch (error) {
    throw unusable(path, reasonOf(error), error);
  }
  const holder = leaseHolder(full);
  if (holder && !isOwn(holder)) throw inUse(path, holder);
  if (present.includes("experiment.json")) {
    throw new StoreError(
      `${path}: already holds another experiment, which is left as it is; ${howToGoOn(path, full)}`,
      { exitCode: 2 },
    );
  }
  if (present.length > 0) {
    throw new StoreError(
      `${path}: is not empty (it holds "${present.sort()[0]}"${present.length > 1 ? ` and ${present.length - 1} more` : ""}); ` +
        "choose a new or empty folder with --out",
      { exitCode: 2 },
    );
  }
  probe(path, full);
}

/** What can be done about an experiment that is in the way, by its kind. */
function howToGoOn(path: string, full: string): string {
  const elsewhere = "choose a new folder with --out";
  const record = recordIn(full);
  if (record?.specification === undefined) return `remove that folder, or ${elsewhere}`;
  const { kind } = record;
  const command = kind === "train" || kind === "find" ? kind : "compare";
  return `go on with that one by lrscope ${command} --resume ${path}, or ${elsewhere}`;
}

/** As far as it can be read: it is described here, not used. */
function recordIn(folder: string): { kind?: unknown; specification?: unknown } | null {
  try {
    return JSON.parse(String(readRegularFile(join(folder, "experiment.json"))));
  } catch {
    return null;
  }
}

/** Makes the folder and one within it, and takes away again what was not there before. */
function probe(path: string, full: string): void {
  let made: string | undefined;
  try {
    withCleanup(
      () => {
        made = makeFolders(full);
        rmdirSync(mkdtempSync(join(full, ".probe-")));
      },
      () => {
        for (let folder = full; made !== undefined; folder = dirname(folder)) {
          rmdirSync(folder);
          if (folder === made) break;
        }
      },
    );
  } catch (error) {
    throw unusable(path, reasonOf(error), error);
  }
}

function unusable(path: string, reason: string, cause?: unknown): StoreError {
  return new StoreError(
    `${path}: the output folder cannot be written: ${reason}; choose another with --out`,
    { exitCode: 2, cause },
  );
}

/** Beside it a temporary is written, whose name is 45 characters longer. */
const rangeTestName = (slug: string, ending: "json" | "log") =>
  `range-tests/${shortName(slug, 200)}.${ending}`;

/** Failures and logs hold what others said: of all texts of a record, these alone may name this machine's paths. */
function withoutMachine(trial: TrialRecord, clean: (text: string) => string): TrialRecord {
  const { failure, ended } = trial;
  return {
    ...trial,
    failure: failure && clean(failure),
    ...(ended ? { ended: { ...ended, log: ended.log.map(clean) } } : {}),
  };
}

/** A trial that has run to its end is the same whichever attempt ended it. */
const ofAttempt = (trial: TrialRecord, task: Fence["task"]): TrialRecord =>
  task === undefined || isFinished(trial) ? trial : { ...trial, attempt: task.attempt };

/** "" where there is no such file. @throws StoreError, exit code 1 */
function textOf(file: string): string {
  try {
    return readRegularFile(file)?.toString("utf8") ?? "";
  } catch (error) {
    throw writeFailure(file, error, "the checkpoints are kept");
  }
}

/**
 * A folder that holds an experiment already, to add to or to render again. Every write throws what `fence`
 * does, and then writes nothing: the lease of a holder that was taken for dead.
 */
export function openRunDirectory(path: string, fence?: Fence): RunDirectory {
  const inside = (name: string) => {
    fence?.check();
    const clean = normalize(name);
    if (isAbsolute(clean) || clean.startsWith(".."))
      throw new InternalError(`"${name}" lies outside of the run directory`);
    return join(path, clean);
  };
  const folders = new Set<string>();
  const trialFile = (slug: string, seed: number, name: string) => {
    const file = inside(join("trials", `${slug}-${seed}`, name));
    if (!folders.has(dirname(file))) {
      makeFolder(dirname(file));
      folders.add(dirname(file));
    }
    return file;
  };
  const write = (name: string, value: unknown) => replaceFile(inside(name), json(value));
  return {
    path,
    ...(fence ? { fence } : {}),
    writePlan: (plan) => write("plan.json", plan),
    rangeTestFile: (slug) => inside(rangeTestName(slug, "json")),
    writeRangeTest: (slug, record) =>
      write(rangeTestName(slug, "json"), {
        ...record,
        warnings: record.warnings.map((text) => shareable(text, path)),
      }),
    rangeTestLog(slug) {
      const file = inside(rangeTestName(slug, "log"));
      makeFolder(dirname(file));
      return file;
    },
    writeTrial: (trial) =>
      replaceFile(
        trialFile(trial.slug, trial.seed, "trial.json"),
        json(withoutMachine(ofAttempt(trial, fence?.task), (text) => shareable(text, path))),
      ),
    appendMetrics: (slug, seed, metrics) =>
      appendLine(trialFile(slug, seed, "metrics.jsonl"), JSON.stringify(metrics), {
        durable: true,
      }),
    restoreMetrics(slug, seed, metrics) {
      const file = trialFile(slug, seed, "metrics.jsonl");
      const text = metrics.map((line) => `${JSON.stringify(line)}\n`).join("");
      if (textOf(file) !== text) replaceFile(file, text);
    },
    appendLog: (slug, seed, line) =>
      appendLine(trialFile(slug, seed, "log.txt"), shareable(line, path), { durable: false }),
    checkpoints: (slug, seed) => trialFile(slug, seed, "checkpoints"),
    trialFile,
    writeSummary: (summary) => write("summary.json", summary),
    writeText: (name, text) => replaceFile(inside(name), text),
    writeBytes: (name, bytes) => replaceFile(inside(name), bytes),
    remove(name) {
      const file = inside(name);
      try {
        rmSync(file, { force: true });
      } catch (error) {
        throw writeFailure(file, error, "all that was recorded is kept");
      }
    },
  };
}
