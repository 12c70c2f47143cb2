/**
 * @file Checkpoints of a trial under way: epoch-000012.safetensors with the weights, and beside it
 * epoch-000012.json, which says how far the trial had come and holds the checksums of both. The second
 * is written last: a checkpoint without it, or that does not match it, does not count.
 */

import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withCleanup } from "../core/cleanup.ts";
import { InternalError } from "../core/errors.ts";
import { readRegularFile } from "../files/regular-file.ts";
import { type CheckpointRecord, sealedCheckpoint } from "../record/index.ts";
import { replaceFile, writeFailure } from "./durable-write.ts";

/** How many are kept: were the newest damaged, its epoch alone would be lost. */
const KEPT = 2;

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const nameOf = (epoch: number) => `epoch-${String(epoch).padStart(6, "0")}`;

export interface StoredCheckpoint {
  readonly record: CheckpointRecord;
  /** A whole safetensors file. */
  readonly weights: Uint8Array;
}

/**
 * Writes a checkpoint, reads it back, and then drops all but the last two.
 * @throws StoreError, exit code 1; earlier checkpoints are kept
 */
export function writeCheckpoint(folder: string, { record, weights }: StoredCheckpoint): void {
  const name = nameOf(record.epoch);
  const said = JSON.stringify(record);
  const sealed = `{"record":${said},"weights":"${sha256(weights)}","checksum":"${sha256(said)}"}\n`;
  for (const [file, content] of [
    [`${name}.safetensors`, weights],
    [`${name}.json`, Buffer.from(sealed)],
  ] as const) {
    const path = join(folder, file);
    replaceFile(path, content);
    try {
      if (!holds(path, content))
        throw new Error("the disk gives back other bytes than were written");
    } catch (error) {
      throw writeFailure(path, error, "the checkpoints before it are kept");
    }
  }
  prune(folder, record.epoch);
}

/** Bytes that are read back at a time: a second copy of the weights would be the most of a small trial's memory. */
const PART = 1 << 18;

function holds(path: string, content: Uint8Array): boolean {
  const descriptor = openSync(path, "r");
  const same = () => {
    if (fstatSync(descriptor).size !== content.length) return false;
    const part = Buffer.allocUnsafe(Math.min(PART, content.length));
    for (let at = 0; at < content.length; ) {
      const length = readSync(descriptor, part, { position: at });
      if (length === 0 || part.compare(content, at, at + length, 0, length) !== 0) return false;
      at += length;
    }
    return true;
  };
  return withCleanup(same, () => closeSync(descriptor));
}

/** The newest checkpoint that is whole; null where there is none. */
export function newestCheckpoint(folder: string): StoredCheckpoint | null {
  for (const epoch of epochsIn(folder)) {
    const found = readCheckpoint(folder, epoch);
    if (found) return found;
  }
  return null;
}

/** Takes all checkpoints away, once their trial is finished. @throws StoreError, exit code 1 */
export function removeCheckpoints(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    throw writeFailure(folder, error, "the trial's records are kept");
  }
}

/** null where it is absent or damaged. */
export function readCheckpoint(folder: string, epoch: number): StoredCheckpoint | null {
  try {
    const read: unknown = JSON.parse(
      String(readRegularFile(join(folder, `${nameOf(epoch)}.json`))),
    );
    const sealed = sealedCheckpoint.parse(read);
    const weights = readRegularFile(join(folder, `${nameOf(epoch)}.safetensors`));
    if (weights === null) return null;
    // As written, not as parsed: the order of its keys is part of what the checksum is of, and of
    // the lines that metrics.jsonl will hold again.
    const { record } = read as { record: CheckpointRecord };
    const whole =
      record.epoch === epoch &&
      record.metrics.length === epoch &&
      sha256(weights) === sealed.weights &&
      sha256(JSON.stringify(record)) === sealed.checksum;
    return whole ? { record, weights } : null;
  } catch {
    return null;
  }
}

/** Newest first. */
function epochsIn(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => /^epoch-(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Called once `newest` is verified. What is newer comes from a future that was given up. */
function prune(folder: string, newest: number): void {
  if (newest < 1) throw new InternalError("a checkpoint is written after an epoch");
  const wanted = new Set(Array.from({ length: KEPT }, (_, age) => nameOf(newest - age)));
  try {
    for (const file of readdirSync(folder))
      if (!wanted.has(file.replace(/\.(json|safetensors)$/, "")))
        rmSync(join(folder, file), { force: true });
  } catch (error) {
    throw writeFailure(folder, error, "the newest checkpoints are kept");
  }
}
