/**
 * @file The file of a lease: who holds a folder, and a count that the holder raises while it lives. It
 * is made whole under another name and then linked, so that it is never seen half written; the count has
 * ten digits, so that raising it in place changes nothing else.
 */

import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { quietly, withCleanup } from "../core/cleanup.ts";
import { codeOf } from "../core/errors.ts";
import { processIdentity } from "../files/process-identity.ts";
import { openRegularFile } from "../files/regular-file.ts";

/** Locks of lrscope 0.1 have neither heartbeat, token nor attempt. */
export const leaseRecord = processIdentity.extend({
  heartbeat: z
    .string()
    .regex(/^\d{10}$/)
    .optional(),
  /** Drawn anew for each lease. */
  token: z.string().optional(),
  /** 1, or one more than that of the lease which it took over. */
  attempt: z.number().int().positive().optional(),
  since: z.string(),
});
export type LeaseRecord = z.infer<typeof leaseRecord>;

export interface FoundLease {
  /** null where the file cannot be understood. */
  readonly record: LeaseRecord | null;
  /** The token or, where there is none, a hash of what the file says. */
  readonly key: string;
  /** By the clock of the file system, in milliseconds. */
  readonly written: number;
}

const HEAD = '{"heartbeat":"';
const digits = (count: number) => String(count).padStart(10, "0");

/** The heartbeat's digits come first, at a place that is known. */
export const encodeLease = (record: Omit<LeaseRecord, "heartbeat">): string =>
  JSON.stringify({ heartbeat: digits(0), ...record });

/**
 * null where there is no such file.
 * @throws StoreError, exit code 2, where it is no file; the operating system's error
 */
export function readLease(file: string): FoundLease | null {
  try {
    const descriptor = openRegularFile(file);
    if (descriptor === null) return null;
    return withCleanup(
      () => parsed(readFileSync(descriptor, "utf8"), fstatSync(descriptor).mtimeMs),
      () => closeSync(descriptor),
    );
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return null;
    throw error;
  }
}

function parsed(text: string, written: number): FoundLease {
  let record: LeaseRecord | null = null;
  quietly(() => {
    record = leaseRecord.parse(JSON.parse(text));
  });
  const key =
    (record as LeaseRecord | null)?.token ??
    createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { record, key, written };
}

/**
 * Raises the count of the lease with this token. It is written into the file that was opened: where
 * another process takes the name over in between, its file is not touched.
 * @returns false where the file is another's, or gone
 */
export function beat(file: string, token: string, count: number): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r+");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
  return withCleanup(
    () => {
      const text = readFileSync(descriptor, "utf8");
      if (parsed(text, 0).key !== token || !text.startsWith(HEAD)) return false;
      writeSync(descriptor, digits(count), HEAD.length);
      return true;
    },
    () => closeSync(descriptor),
  );
}

/** `from` under the name `to`, unless there is something of that name. @returns whether it is there now */
export function linkExclusively(from: string, to: string): boolean {
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

/** Milliseconds of the clock by which the folder's file system dates its files; this machine's where nothing can be written. */
export function clockOf(folder: string, name: string): number {
  const probe = join(folder, name);
  try {
    writeFileSync(probe, "");
    return statSync(probe).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    quietly(() => rmSync(probe, { force: true }));
  }
}
