/**
 * @file A study's records, read again and again while another process appends to them. What was read before is not
 * read twice; a last line that is torn is waited for.
 */

import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { StoreError } from "../core/errors.ts";
import {
  experimentRecord,
  type MeasuredRun,
  measuredRun,
  metricsLine,
  steeredEvent,
  storedRangeTest,
  trialRecord,
  type WorkersRecord,
  workersRecord,
} from "../record/index.ts";
import { readRecord, SEED_CURVES, WORKERS_FILE } from "../store/index.ts";
import type { StudySnapshot } from "./study-cursor.ts";

export interface FollowedStudy {
  /** The records as they are now. @throws StoreError, exit code 2, naming the file and what is wrong with it */
  refresh(): StudySnapshot;
  /** Who works at it just now, as was said last; null where nobody says so. */
  workers(): WorkersRecord | null;
  /** Reads ahead what a refresh would, run by run: whoever else asks something meanwhile is answered. */
  readAhead(): Promise<void>;
}

/** Follows the study in a run directory. */
export function followStudy(path: string): FollowedStudy {
  const experiment = wholeFile(join(path, "experiment.json"), experimentRecord);
  const steering = lines(
    join(path, "steering.jsonl"),
    (value) => steeredEvent.safeParse(value).data ?? null,
  );
  const workers = wholeFile(join(path, WORKERS_FILE), workersRecord);
  const tests = new Map<string, () => z.infer<typeof storedRangeTest> | null>();
  const runs = new Map<string, () => MeasuredRun | null>();
  const trials = new Map<string, ReturnType<typeof trialIn>>();
  const trialIn = (folder: string) => ({
    trial: wholeFile(join(folder, "trial.json"), trialRecord),
    metrics: lines(join(folder, "metrics.jsonl"), metricsLine),
  });
  return {
    async readAhead() {
      for (const name of namesIn(join(path, "trials"))) {
        const folder = known(trials, name, () => trialIn(join(path, "trials", name)));
        try {
          folder.trial();
          folder.metrics();
        } catch {
          // The refresh will say it.
          return;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    workers() {
      try {
        return workers();
      } catch {
        // No record depends on it.
        return null;
      }
    },
    refresh() {
      const record = experiment();
      if (!record)
        throw new StoreError(`${path}: is not a run directory any more`, { exitCode: 2 });
      const testFiles = [
        join(path, "range-test.json"),
        ...namesIn(join(path, "range-tests"))
          .filter((name) => name.endsWith(".json"))
          .map((name) => join(path, "range-tests", name)),
      ];
      const rangeTests = testFiles.flatMap((file) => {
        const found = known(tests, file, () => wholeFile(file, storedRangeTest))();
        return found ? [found] : [];
      });
      const seeds =
        record.kind === "find" && rangeTests.length === 0
          ? namesIn(join(path, SEED_CURVES)).filter((name) => /^\d+\.json$/.test(name))
          : [];
      const folders = record.kind === "find" ? [] : namesIn(join(path, "trials"));
      return {
        experiment: record,
        rangeTests,
        rangeTestRuns: seeds.flatMap((name) => {
          const file = join(path, SEED_CURVES, name);
          return known(runs, file, () => wholeFile(file, measuredRun))() ?? [];
        }),
        trials: folders.flatMap((name) => {
          const folder = known(trials, name, () => trialIn(join(path, "trials", name)));
          const trial = folder.trial();
          return trial ? [{ trial, metrics: folder.metrics() }] : [];
        }),
        steering: steering(),
      };
    },
  };
}

function known<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

/** Names in a folder, without hidden and temporary ones; none where there is no folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}

/** A file that is replaced as a whole; read again only when it is another. null where there is none. */
function wholeFile<S extends z.ZodType>(file: string, schema: S): () => z.infer<S> | null {
  let before = "";
  let record: z.infer<S> | null = null;
  return () => {
    const stats = statSync(file, { throwIfNoEntry: false });
    const now = stats ? fileVersion(stats) : "";
    if (now === before) return record;
    record = stats ? readRecord(file, schema) : null;
    before = now;
    return record;
  };
}

/** Another for each file that took the name, even within a tick of the file system's clock. */
export const fileVersion = ({ ino, size, mtimeMs }: Stats) => `${ino} ${size} ${mtimeMs}`;

/** A file that grows by lines, and now and then is replaced. Until its newline is there, a line is none. */
function lines<T>(file: string, recordOf: (value: unknown) => T | null): () => readonly T[] {
  let [inode, offset] = [-1, 0];
  let read: readonly T[] = [];
  return () => {
    // Most files have nothing new: a look at one is not an opening of it.
    const now = statSync(file, { throwIfNoEntry: false });
    if (now?.ino === inode && now.size === offset) return read;
    let descriptor: number;
    try {
      descriptor = openSync(file, "r");
    } catch {
      [inode, offset, read] = [-1, 0, []];
      return read;
    }
    try {
      const { ino, size } = fstatSync(descriptor);
      if (ino !== inode || size < offset) [inode, offset, read] = [ino, 0, []];
      if (size === offset) return read;
      const bytes = Buffer.allocUnsafe(size - offset);
      const end = bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, offset));
      const whole = end.lastIndexOf(0x0a) + 1;
      if (whole === 0) return read;
      const added = end
        .subarray(0, whole - 1)
        .toString("utf8")
        .split("\n");
      read = [
        ...read,
        ...added.map((line, i) => parsed(line, recordOf, `${file}, line ${read.length + i + 1}`)),
      ];
      offset += whole;
      return read;
    } finally {
      closeSync(descriptor);
    }
  };
}

function parsed<T>(line: string, recordOf: (value: unknown) => T | null, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new StoreError(`${where}: is not JSON: ${(error as Error).message}`, { exitCode: 2 });
  }
  const record = recordOf(value);
  if (record === null)
    throw new StoreError(`${where}: is not a record of lrscope's`, { exitCode: 2 });
  return record;
}
