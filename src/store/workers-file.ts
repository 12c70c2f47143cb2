/** @file workers.json of a run directory: replaced every few seconds, and of no worth once its study ends. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quietly } from "../core/cleanup.ts";
import type { WorkersRecord } from "../record/index.ts";
import type { RunDirectory } from "./run-directory.ts";

export const WORKERS_FILE = "workers.json";

/** Says who works at what. What cannot be written now is written the next time. */
export function writeWorkers(
  { path, fence }: Pick<RunDirectory, "path" | "fence">,
  record: WorkersRecord,
): void {
  quietly(() => {
    fence?.check();
    const temporary = join(path, `.${WORKERS_FILE}.${process.pid}.tmp`);
    // Not synced: after a crash nobody works at anything.
    writeFileSync(temporary, JSON.stringify(record));
    renameSync(temporary, join(path, WORKERS_FILE));
  });
}

export const removeWorkers = ({ path }: Pick<RunDirectory, "path">): void =>
  quietly(() => rmSync(join(path, WORKERS_FILE), { force: true }));
