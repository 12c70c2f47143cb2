/**
 * @file What processes that were killed leave in a run directory: files half written, locks, checkpoints
 * and tasks of trials that are finished, logs of range tests that were made. Nothing else is touched.
 */

import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { codeOf, StoreError } from "../core/errors.ts";
import { writeFailure } from "./durable-write.ts";
import { LEASE_NAME, leaseHolder } from "./lease.ts";
import { SLURM_NOTES } from "./tasks.ts";

/** ".report.html.4711.tmp", ".lock.4711.9f3a61c2.tmp.dead" of lrscope 0.1 */
const TEMPORARY = /^\..+\.tmp(\.dead)?$/;

/** Of a process that looked whether a folder can be written: mkdtemp's six letters. */
const PROBE = /^\.probe-[A-Za-z0-9]{6}$/;

/** What a process that was killed as it began may leave behind. */
export const isLeftover = (name: string): boolean =>
  name === LEASE_NAME || TEMPORARY.test(name) || PROBE.test(name);

/**
 * Takes away what was not finished, in the folder itself. Call it with the lease held.
 * @throws StoreError, exit code 1
 */
export function sweepTemporaries(folder: string): void {
  try {
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (TEMPORARY.test(name)) rmSync(join(folder, name), { force: true });
      else if (PROBE.test(name)) removeEmpty(join(folder, name));
  } catch (error) {
    throw writeFailure(folder, error, "what was recorded before is kept");
  }
}

/**
 * The same in a whole run directory, the folders of its trials and figures included. A trial at which a
 * process is still at work (it outlives its parent by moments) is left to that one.
 * @param finished slugs and seeds of the trials that have ended, "adam-0": these keep no checkpoints
 * @throws StoreError where the folder cannot be changed
 */
export function sweepRun(path: string, finished: ReadonlySet<string>): void {
  try {
    sweepBelow(path, "trials");
    const trials = join(path, "trials");
    for (const name of foldersIn(trials)) {
      const folder = join(trials, name);
      if (leaseHolder(folder)) continue;
      sweepBelow(folder, null);
      if (!finished.has(name)) continue;
      rmSync(join(folder, "checkpoints"), { recursive: true, force: true });
      rmSync(join(folder, LEASE_NAME), { force: true });
    }
    const tasks = join(path, "tasks");
    for (const name of finished) rmSync(join(tasks, `${name}.json`), { force: true });
    // Nothing of Slurm's is under way that is not submitted anew.
    rmSync(join(path, SLURM_NOTES), { recursive: true, force: true });
    removeEmpty(tasks);
    const tests = join(path, "range-tests");
    for (const name of existsSync(tests) ? readdirSync(tests) : [])
      if (name.endsWith(".log") && existsSync(join(tests, name.replace(/\.log$/, ".json"))))
        rmSync(join(tests, name), { force: true });
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw writeFailure(path, error, "all that was recorded is kept");
  }
}

/** A folder and those within it, but for one of its own. */
function sweepBelow(folder: string, except: string | null): void {
  sweepTemporaries(folder);
  for (const name of foldersIn(folder)) if (name !== except) sweepBelow(join(folder, name), null);
}

/** Names of the folders in a folder; links are none. */
const foldersIn = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : [];

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Whoever put something into it knows what for.
    if (!["ENOTEMPTY", "ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) throw error;
  }
}
