/**
 * @file Names for what is written beside its final name and renamed once it is whole; and the sweeping of
 * what processes that were killed left under them. A name says which process of which machine made it:
 * "a.json.3f0c9a1b2d4e-4711-90210.0123abcd.tmp".
 */

import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRunning, type ProcessIdentity, thisProcess } from "./process-identity.ts";

const NAME = /\.([0-9a-f]{12})-(\d+)-(\d*)\.[0-9a-f]{8}\.tmp$/;

/** Names of lrscope 0.1, which say at most a number: of files, and of folders that tar unpacks into. */
const OLDER = [/\.\d+(\.[0-9a-f]{8})?\.tmp$/, /^\.[A-Za-z0-9_-]+-[A-Za-z0-9]{6}$/];

/** Without a change for so long, what nobody here can be asked about counts as left. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** A name of this process's own beside `path`; nothing is made. */
export function temporaryFor(path: string): string {
  const own = thisProcess();
  return `${path}.${runOf(own)}-${own.pid}-${own.started ?? ""}.${randomBytes(4).toString("hex")}.tmp`;
}

/**
 * Removes from a folder what is certainly left: of processes of this machine and container that have
 * ended, at once; of others, which may live elsewhere and share the disk, after a day without a change.
 * What cannot be removed stays; a folder that is not there, or cannot be read, is none of its business.
 */
export async function sweepTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    if (await isLeft(path, name))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isLeft(path: string, name: string): Promise<boolean> {
  const match = NAME.exec(name);
  if (!match && !OLDER.some((pattern) => pattern.test(name))) return false;
  if (match) {
    const own = thisProcess();
    const owner = { ...own, pid: Number(match[2]), started: match[3] || null };
    if (match[1] === runOf(own) && !isRunning(owner)) return true;
  }
  const status = await lstat(path).catch(() => null);
  return status !== null && Date.now() - status.mtimeMs > DAY_MS;
}

/** Where process numbers mean the same processes: one boot of one machine, one namespace. */
const runOf = ({ boot, host, namespace }: ProcessIdentity): string =>
  createHash("sha256")
    .update(JSON.stringify([boot, host, namespace]))
    .digest("hex")
    .slice(0, 12);
