/**
 * @file A folder held by one process at a time, wherever the others run: a lease that lasts as long as
 * its holder lives or, where that cannot be asked, as its heartbeat moves.
 *
 * Of a process here (same boot, same PID namespace) the operating system says whether it lives. Of one
 * elsewhere, in another container or on another machine over a network disk, only the heartbeat does. Its
 * age is taken by the file system's own clock, and one that seems to have stopped is watched for a while
 * besides, so that no two machines' clocks need to agree.
 *
 * A lease that ended is taken over by whoever can make a claim of its token's name, which one process can;
 * only the claim's owner replaces the lease's file, by a rename. A claim is itself such a file, so that one
 * whose owner died is taken over in the same way. A holder that was taken for dead finds another's token
 * before it next writes.
 */

import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quietly } from "../core/cleanup.ts";
import { codeOf, StoreError } from "../core/errors.ts";
import { isRunning, secondsSinceBoot, thisProcess, whereIs } from "../files/process-identity.ts";
import { makeFolder, writeFailure } from "./durable-write.ts";
import {
  beat,
  clockOf,
  encodeLease,
  type FoundLease,
  type LeaseRecord,
  linkExclusively,
  readLease,
} from "./lease-file.ts";

/** Stands for itself in the folder, beside the records. */
export const LEASE_NAME = "lock";

/** Between two heartbeats. */
export const HEARTBEAT_SECONDS = 5;
/** Without a heartbeat for so long, a holder elsewhere counts as gone; it may be busy for less. */
export const LEASE_SECONDS = 60;
/** So long a heartbeat that seems to have stopped is watched before its lease is taken over. */
const WATCH_SECONDS = 3 * HEARTBEAT_SECONDS;

/** Milliseconds between two looks at what another process is about to finish, and how often it is looked at. */
const LOOK = 20;
const LOOKS = 250;
/** So often a lease is tried for that others take and give back meanwhile. */
const ROUNDS = 1000;
/** So often a file that cannot be understood is read before it counts as left by a crash. */
const READS = 3;

/** What must hold before anything is written. */
export interface Fence {
  /** Of the lease. */
  readonly token: string;
  /** The task whose records alone are written, and the attempt at it; absent: those of any. */
  readonly task?: { readonly key: string; readonly attempt: number };
  /** @throws StoreError, exit code 1, where another process has taken the lease over, or it is gone */
  check(): void;
}

export interface Lease extends Fence {
  /** 1, or one more than that of the lease which this one took over. */
  readonly attempt: number;
  /** Raises the heartbeat; done by itself every HEARTBEAT_SECONDS. @throws as `check` does */
  renew(): void;
  /** Gives the folder free, if it is still held. Idempotent; never throws. */
  release(): void;
}

/** Time, for tests to make. */
export interface LeaseClock {
  /** Resolves after so many milliseconds. */
  wait(milliseconds: number): Promise<void>;
  /** Calls `work` again and again. @returns what ends it */
  every(milliseconds: number, work: () => void): () => void;
}

const realClock: LeaseClock = {
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  every(milliseconds, work) {
    const timer = setInterval(work, milliseconds).unref();
    return () => clearInterval(timer);
  },
};

export interface LeaseOptions {
  /** Default: the machine's. */
  readonly clock?: LeaseClock;
}

/**
 * Takes the folder's lease; makes the folder where it is missing. A holder that is dead holds nobody up;
 * one elsewhere that was last heard of a minute ago is watched for 15 seconds more.
 * @throws StoreError, exit code 2, naming the living process that holds it
 * @throws StoreError, exit code 1, where the file system fails
 */
export async function acquireLease(
  folder: string,
  { clock = realClock }: LeaseOptions = {},
): Promise<Lease> {
  makeFolder(folder);
  const file = join(folder, LEASE_NAME);
  const token = randomBytes(8).toString("hex");
  const taken = await take(file, { folder, token, clock });
  return heldLease({ folder, file, token, clock, ...taken });
}

/** The process that holds a folder's lease, and may live; null where nobody does. */
export function leaseHolder(folder: string): LeaseRecord | null {
  const found = readOrFail(join(folder, LEASE_NAME));
  return found?.record && judge(folder, found) === "alive" ? found.record : null;
}

/** The refusal that names the holder. */
export function inUse(folder: string, holder: LeaseRecord): StoreError {
  const { pid, since, host } = holder;
  if (whereIs(holder) === "here")
    return new StoreError(
      `${folder}: process ${pid} has been working in this folder since ${since}; wait for it to end, end it (kill ${pid}), or choose another folder with --out`,
      { exitCode: 2 },
    );
  const found = readOrFail(join(folder, LEASE_NAME));
  const age = found ? `, last heartbeat ${Math.round(ageOf(folder, found))} s ago` : "";
  return new StoreError(
    `${folder}: is held by another machine or container (host ${host}, process ${pid}${age}); wait for it to end, end it there, or choose another folder with --out. Where it is gone for good, its lease ends ${LEASE_SECONDS} s after its last heartbeat`,
    { exitCode: 2 },
  );
}

/** The fence of a lease that another process holds for this one: a parent's, for its children. */
export const fenceOf = (folder: string, token: string): Fence => ({
  token,
  check() {
    const file = join(folder, LEASE_NAME);
    const found = readOrFail(file);
    if (found?.key !== token) throw lost(folder, found);
  },
});

const lost = (folder: string, found: FoundLease | null): StoreError =>
  new StoreError(
    `${folder}: is not this process's any more: ${
      found?.record
        ? `process ${found.record.pid} took it over at ${found.record.since}, as no heartbeat of this one had come for ${LEASE_SECONDS} s (the machine slept, or was cut off from the disk)`
        : "its lock is gone, as the folder was moved, emptied or given to another process"
    }. Nothing more is written there; what was recorded before is kept, and --resume goes on with it`,
    { exitCode: 1 },
  );

// ---------------------------------------------------------------------------------------------
// Holding

interface Held {
  readonly folder: string;
  readonly file: string;
  readonly token: string;
  readonly attempt: number;
  readonly clock: LeaseClock;
}

function heldLease({ folder, file, token, attempt, clock }: Held): Lease {
  const { check } = fenceOf(folder, token);
  let beats = 0;
  let held = true;
  const renew = () => {
    try {
      if (!beat(file, token, ++beats)) throw lost(folder, readLease(file));
    } catch (error) {
      throw writeFailure(file, error, "what was recorded before is kept");
    }
  };
  // Where a heartbeat fails, so will the next write, which says why.
  const stop = clock.every(HEARTBEAT_SECONDS * 1000, () => quietly(renew));
  return {
    token,
    attempt,
    renew,
    check,
    release() {
      if (!held) return;
      held = false;
      stop();
      quietly(() => giveBack(folder, file, token));
    },
  };
}

/** Removes the lease's file, unless another process is about to take it over: both go by the claim. */
function giveBack(folder: string, file: string, token: string): void {
  if (readLease(file)?.key !== token) return;
  const claim = claimOf(folder, token);
  if (!linkExclusively(file, claim)) return;
  try {
    if (readLease(file)?.key === token) rmSync(file, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

// ---------------------------------------------------------------------------------------------
// Taking

/** Whose name says which lease it claims; swept with other temporaries where a crash leaves it. */
const claimOf = (folder: string, key: string) => join(folder, `.${LEASE_NAME}.${key}.claim.tmp`);

interface Taking {
  readonly folder: string;
  readonly token: string;
  readonly clock: LeaseClock;
}

/** Gives `file` the content of a lease of this process's, as soon as its holder is found to be gone. */
async function take(file: string, taking: Taking, claiming = false): Promise<{ attempt: number }> {
  const { folder, token, clock } = taking;
  let known: FoundLease | null = null;
  for (let round = 0; ; round++) {
    if (round > ROUNDS)
      throw new StoreError(
        `${file}: changes hands faster than it can be read; end the other processes that begin work in this folder, or choose another with --out`,
        { exitCode: 2 },
      );
    if (createdAs(file, taking)) return { attempt: 1 };
    const found = readOrFail(file);
    if (!found) continue;
    // The answer to a link that was made may be lost on a network disk, and the second one says "exists".
    if (found.key === token) return { attempt: found.record?.attempt ?? 1 };
    const same = known?.key === found.key && known.record?.heartbeat === found.record?.heartbeat;
    known = found;
    const state = judge(folder, found);
    if (state === "alive" && found.record) {
      if (!claiming || round >= LOOKS) throw inUse(folder, found.record);
      await clock.wait(LOOK);
      continue;
    }
    if (state === "unreadable" && round < READS) {
      await clock.wait(LOOK);
      continue;
    }
    if (state === "silent" && !same) {
      await clock.wait(WATCH_SECONDS * 1000);
      continue;
    }
    const claim = claimOf(folder, found.key);
    await take(claim, taking, true);
    try {
      const now = readOrFail(file);
      if (now?.key !== found.key || now.record?.heartbeat !== found.record?.heartbeat) continue;
      const attempt = (found.record?.attempt ?? 1) + 1;
      if (renamedOver(file, taking, attempt)) return { attempt };
    } finally {
      quietly(() => {
        if (readLease(claim)?.key === token) rmSync(claim, { force: true });
      });
    }
  }
}

/** A lease of this process's under a name of its own, for `use`; false where that name was swept away. */
function withOwn({ folder, token }: Taking, attempt: number, use: (own: string) => boolean) {
  // A name of its own each time: what is linked once shall not change.
  const own = join(folder, `.${LEASE_NAME}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
  const since = new Date().toISOString();
  let written = false;
  try {
    writeFileSync(own, encodeLease({ ...thisProcess(), token, attempt, since }), { flag: "wx" });
    written = true;
    return use(own);
  } catch (error) {
    // Whoever holds the folder takes temporary files away as it begins.
    if (written && codeOf(error) === "ENOENT" && !existsSync(own)) return false;
    throw writeFailure(folder, error, "what was recorded before is kept");
  } finally {
    quietly(() => rmSync(own, { force: true }));
  }
}

const createdAs = (file: string, taking: Taking): boolean =>
  withOwn(taking, 1, (own) => linkExclusively(own, file));

const renamedOver = (file: string, taking: Taking, attempt: number): boolean =>
  withOwn(taking, attempt, (own) => {
    renameSync(own, file);
    return true;
  });

function readOrFail(file: string): FoundLease | null {
  try {
    return readLease(file);
  } catch (error) {
    throw writeFailure(file, error, "what was recorded before is kept");
  }
}

// ---------------------------------------------------------------------------------------------
// Judging

type State = "alive" | "dead" | "silent" | "unreadable";

function judge(folder: string, found: FoundLease): State {
  const { record } = found;
  if (record === null) return "unreadable";
  const place = whereIs(record);
  if (place === "here") return isRunning(record) ? "alive" : "dead";
  // lrscope 0.1 had no heartbeat.
  if (record.heartbeat === undefined) return "dead";
  const age = ageOf(folder, found);
  // A heartbeat since this machine's start is not of an earlier run: two machines have one name.
  if (place === "before the restart" && age > secondsSinceBoot()) return "dead";
  return Math.abs(age) < LEASE_SECONDS ? "alive" : "silent";
}

/** Seconds since the last heartbeat. */
const ageOf = (folder: string, { written }: FoundLease): number =>
  (clockOf(folder, `.${LEASE_NAME}.${randomBytes(4).toString("hex")}.tmp`) - written) / 1000;

/** Whether it is this very process that holds a lease. */
export const isOwn = (record: LeaseRecord): boolean =>
  record.pid === process.pid && whereIs(record) === "here";
