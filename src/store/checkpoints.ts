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
import { openRegularFile, readRegularFile } from "../files/regular-file.ts";
import { type CheckpointRecord, sealedCheckpoint } from "../record/index.ts";
import { placeFile, replaceFile, writeFailure, writeParts } from "./durable-write.ts";

/** How many are kept: were the newest damaged, its epoch alone would be lost. */
const KEPT = 2;

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const nameOf = (epoch: number) => `epoch-${String(epoch).padStart(6, "0")}`;

export interface StoredCheckpoint {
  readonly record: CheckpointRecord;
  /** A whole safetensors file. */
  readonly weights: Uint8Array;
}

/** A whole safetensors file on the disk. */
export interface WeightsOnDisk {
  readonly path: string;
  readonly sha256: string;
}

/**
 * Writes a checkpoint, reads it back, and then drops all but the last two.
 * @param weights those that lie in a file of the same file system are given their name here
 * @throws StoreError, exit code 1; earlier checkpoints are kept
 */
export function writeCheckpoint(
  folder: string,
  {
    record,
    weights,
  }: { readonly record: CheckpointRecord; readonly weights: Uint8Array | WeightsOnDisk },
): void {
  const name = nameOf(record.epoch);
  const said = JSON.stringify(record);
  const isInMemory = weights instanceof Uint8Array;
  const digest = isInMemory ? sha256(weights) : weights.sha256;
  const sealed = Buffer.from(
    `{"record":${said},"weights":"${digest}","checksum":"${sha256(said)}"}\n`,
  );
  const path = (ending: string) => join(folder, `${name}.${ending}`);
  const written = (file: string, isWhole: () => boolean) => {
    try {
      if (!isWhole()) throw new Error("the disk gives back other bytes than were written");
    } catch (error) {
      throw writeFailure(file, error, "the checkpoints before it are kept");
    }
  };
  const file = path("safetensors");
  if (isInMemory) replaceFile(file, weights);
  else placeFile(weights.path, file);
  written(file, () => (isInMemory ? holds(file, weights) : digestOfFile(file) === digest));
  replaceFile(path("json"), sealed);
  written(path("json"), () => holds(path("json"), sealed));
  prune(folder, record.epoch);
}

/** The same of weights that come in parts, of which none is held once it is written. */
export async function writeCheckpointInParts(
  folder: string,
  {
    record,
    parts,
  }: { readonly record: CheckpointRecord; readonly parts: AsyncIterable<Uint8Array> },
): Promise<void> {
  const file = join(folder, `${nameOf(record.epoch)}.safetensors`);
  const hash = createHash("sha256");
  async function* hashed() {
    for await (const part of parts) {
      hash.update(part);
      yield part;
    }
  }
  const path = await writeParts(file, hashed());
  writeCheckpoint(folder, { record, weights: { path, sha256: hash.digest("hex") } });
}

/** Bytes that are read back at a time: a second copy of the weights would be the most of a small trial's memory. */
const PART = 1 << 18;

/** SHA-256 of a file, of which a part at a time is read; null where there is none. */
export function digestOfFile(path: string): string | null {
  const descriptor = openRegularFile(path);
  if (descriptor === null) return null;
  const hash = createHash("sha256");
  const read = () => {
    const part = Buffer.allocUnsafe(PART);
    for (;;) {
      const length = readSync(descriptor, part);
      if (length === 0) return hash.digest("hex");
      hash.update(part.subarray(0, length));
    }
  };
  return withCleanup(read, () => closeSync(descriptor));
}

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

/** The same, with its weights where they lie: checked, and not held in memory. */
export function findNewestCheckpoint(
  folder: string,
): { readonly record: CheckpointRecord; readonly weights: WeightsOnDisk } | null {
  for (const epoch of epochsIn(folder)) {
    const found = sealedRecord(folder, epoch);
    const path = weightsOf(folder, epoch);
    if (found && isWhole(() => digestOfFile(path) === found.weights))
      return { record: found.record, weights: { path, sha256: found.weights } };
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
  const found = sealedRecord(folder, epoch);
  if (found === null) return null;
  const { record } = found;
  let weights: Uint8Array | null = null;
  const isRead = () => {
    weights = readRegularFile(weightsOf(folder, epoch));
    return weights !== null && sha256(weights) === found.weights;
  };
  return isWhole(isRead) && weights !== null ? { record, weights } : null;
}

const weightsOf = (folder: string, epoch: number) => join(folder, `${nameOf(epoch)}.safetensors`);

/** What cannot be read is not whole. */
function isWhole(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

/** What stands beside the weights of an epoch, and their checksum; null where it is absent or damaged. */
function sealedRecord(
  folder: string,
  epoch: number,
): { readonly record: CheckpointRecord; readonly weights: string } | null {
  try {
    const read: unknown = JSON.parse(
      String(readRegularFile(join(folder, `${nameOf(epoch)}.json`))),
    );
    const sealed = sealedCheckpoint.parse(read);
    // As written, not as parsed: the order of its keys is part of what the checksum is of, and of
    // the lines that metrics.jsonl will hold again.
    const { record } = read as { record: CheckpointRecord };
    const isOwn =
      record.epoch === epoch &&
      record.metrics.length === epoch &&
      sha256(JSON.stringify(record)) === sealed.checksum;
    return isOwn ? { record, weights: sealed.weights } : null;
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
