/**
 * @file A lock in a folder, for the one process that writes there. It says who holds it, so that one
 * whose owner is dead (killed, or the machine restarted) holds nobody up.
 */

import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { StoreError } from "../core/errors.ts";
import { codeOf, makeFolder, writeFailure } from "./durable-write.ts";

/** A process, told apart from a later one of the same number. */
const lockOwner = z.object({
  pid: z.number().int().positive(),
  /** Clock ticks from the machine's start to the process's; null where the system does not say. */
  started: z.string().nullable(),
  /** Of the machine's run; null where the system does not say. */
  boot: z.string().nullable(),
  since: z.string(),
});
export type LockOwner = z.infer<typeof lockOwner>;

export interface Lock {
  /** Idempotent. */
  release(): void;
}

/** Stands for itself in the folder, beside the records. */
export const LOCK_NAME = "lock";

/**
 * Takes the folder's lock; makes the folder where it is missing.
 * @throws StoreError, exit code 2, naming the living process that holds it
 */
export function acquireLock(folder: string): Lock {
  makeFolder(folder);
  const file = join(folder, LOCK_NAME);
  const own = join(folder, `.${LOCK_NAME}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    // Written first and linked then: a lock is never seen half written.
    writeFileSync(own, JSON.stringify(thisProcess()));
    while (!linked(own, file)) {
      const found = readOwner(file);
      if (found && isAlive(found)) throw inUse(folder, found);
      takeAway(file, found, own);
    }
  } catch (error) {
    throw writeFailure(file, error, "what was recorded before is kept");
  } finally {
    rmSync(own, { force: true });
  }
  let held = true;
  return {
    release() {
      if (held) rmSync(file, { force: true });
      held = false;
    },
  };
}

/** The living process that holds a folder's lock; null where nobody does. */
export function lockHolder(folder: string): LockOwner | null {
  const owner = readOwner(join(folder, LOCK_NAME));
  return owner && isAlive(owner) ? owner : null;
}

/** The refusal that names the holder. */
export const inUse = (folder: string, { pid, since }: LockOwner): StoreError =>
  new StoreError(
    `${folder}: process ${pid} has been working in this folder since ${since}; wait for it to end, end it (kill ${pid}), or choose another folder with --out`,
    { exitCode: 2 },
  );

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // A file system without links: exclusive creation, which a crash in mid-write leaves unreadable.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error;
  }
  try {
    writeFileSync(to, readFileSync(from), { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Takes a dead owner's lock away. By renaming, and looking at what was renamed: where another process
 * was quicker, it is that one's living lock, which is put back.
 */
function takeAway(file: string, dead: LockOwner | null, own: string): void {
  const aside = `${own}.dead`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const found = readOwner(aside);
  if (found && JSON.stringify(found) !== JSON.stringify(dead)) linked(aside, file);
  rmSync(aside, { force: true });
}

/** null where there is none, or none that can be read: written by nobody who still lives. */
function readOwner(file: string): LockOwner | null {
  try {
    return lockOwner.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

const thisProcess = (): LockOwner => ({
  pid: process.pid,
  started: startOf(process.pid),
  boot: bootOf(),
  since: new Date().toISOString(),
});

/** A number may come back: the process is the same one if it also began at the same time. */
function isAlive({ pid, started, boot }: LockOwner): boolean {
  if (boot !== bootOf()) return false;
  if (started !== null) return startOf(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/**
 * Field 22 of /proc/<pid>/stat; the name before it, in brackets, may hold spaces. A process that has
 * ended and waits to be collected has state Z, and writes nothing any more. Source: proc(5).
 */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function bootOf(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}
