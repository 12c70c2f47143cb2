/** @file What identifies the files of a folder: their names and contents. */

import { createHash } from "node:crypto";
import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { at } from "../../core/at.ts";
import { codeOf, DataError } from "../../core/errors.ts";
import { throwIfInterrupted } from "../../data/source.ts";
import { legibleName, pathOfName } from "../../files/file-names.ts";
import {
  type FileHashes,
  type FileHashesOptions,
  openFileHashes,
  type ReadFile,
} from "../cache/file-hashes.ts";
import { unreadableText } from "../decoding/decode.ts";
import { holdsSeveralPictures } from "./several-pictures.ts";

export interface FolderFiles {
  readonly root: string;
  /** What messages call the folder. */
  readonly name: string;
  /** Of each item, relative to `root`. */
  readonly files: readonly string[];
  /**
   * Items that could not be read when they were hashed, and why. That is part of the fingerprint, and
   * the only place where it is found out: so that what is kept is true for as long as the fingerprint is.
   */
  readonly unreadable: Map<number, string>;
  /** SHA-256 of the items that could be read, once they are hashed. */
  readonly digests: Map<number, string>;
  /** Items that hold several pictures, once they are hashed. */
  readonly several: Set<number>;
}

export interface HashFilesOptions extends Pick<FileHashesOptions, "now"> {
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Over each file's relative name, size and SHA-256, in listing order. A file that the cache knows is not read; without
 * a cache all are.
 * @throws DataError for a file that cannot be read for a reason that may pass
 * @throws InterruptedError when the signal fires
 */
export async function hashFiles(
  folder: FolderFiles,
  items: Int32Array,
  { signal, cacheDir, now }: HashFilesOptions,
): Promise<string> {
  if (cacheDir === undefined) return hashAll(folder, items, { signal });
  const hashes = openFileHashes(folder.root, { cacheDir, ...(now ? { now } : {}) });
  try {
    return await hashAll(folder, items, { hashes, signal });
  } finally {
    await hashes.write(folder.files);
  }
}

interface HashAllOptions {
  readonly hashes?: FileHashes;
  readonly signal: AbortSignal | undefined;
}

async function hashAll(
  { root, name, files, unreadable, digests, several }: FolderFiles,
  items: Int32Array,
  { hashes, signal }: HashAllOptions,
): Promise<string> {
  const all = createHash("sha256");
  const buffer = Buffer.allocUnsafe(1 << 20);
  let sinceBreath = 0;
  for (const item of items) {
    const file = at(files, item, "files");
    const path = join(root, file);
    const known = hashes && knownHash(path, file, hashes);
    const { digest, size, isSeveral, error } = known ?? hashFile(path, { file, buffer, hashes });
    if (error !== null) {
      if (!isLasting(error)) throw passingError(name, file, unreadableText(error));
      unreadable.set(item, unreadableText(error));
    } else {
      digests.set(item, digest);
      if (isSeveral) several.add(item);
    }
    all.update(pathOfName(file)).update(`\0${size}\0${digest}\n`);
    sinceBreath += known ? 1000 : size + 20_000;
    // Synchronous reads are several times faster on small files; signals and timers get their turn.
    if (sinceBreath > 16 << 20) {
      sinceBreath = 0;
      await nextTurn();
      throwIfInterrupted(signal);
    }
  }
  return all.digest("hex");
}

/** A link to nothing, or a file that this user may not read: so it is until somebody changes it. */
const lasting = new Set([
  "ENOENT",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENOTDIR",
  "EISDIR",
  "ENAMETOOLONG",
]);

const isLasting = (error: unknown) => lasting.has(codeOf(error) ?? "");

/** For a file that something went wrong with that may go right another time. */
export function passingError(name: string, file: string, reason: string): DataError {
  return new DataError(
    `${name}: ${legibleName(file)}: ${reason}; this may pass, so no images were kept: free memory, or look after the disk, and run again; or take the file out`,
    { exitCode: 1 },
  );
}

interface FileHash extends ReadFile {
  /** Why it could not be read, or null. */
  readonly error: NodeJS.ErrnoException | null;
}

function knownHash(path: string, file: string, hashes: FileHashes): FileHash | undefined {
  try {
    const status = statSync(pathOfName(path), { bigint: true });
    const known = status.isFile() ? hashes.known(file, status) : undefined;
    return known && { ...known, error: null };
  } catch {
    // What reading it says is what counts.
    return undefined;
  }
}

interface HashFileOptions {
  readonly file: string;
  readonly buffer: Buffer;
  readonly hashes: FileHashes | undefined;
}

/** A file that cannot be read hashes as such; decoding will list it as broken. */
function hashFile(path: string, { file, buffer, hashes }: HashFileOptions): FileHash {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(pathOfName(path), "r");
    const before = fstatSync(descriptor, { bigint: true });
    const hash = createHash("sha256");
    let size = 0;
    let isSeveral = false;
    for (;;) {
      const got = readSync(descriptor, buffer, 0, buffer.length, null);
      if (size === 0) isSeveral = holdsSeveralPictures(buffer.subarray(0, got), descriptor);
      hash.update(buffer.subarray(0, got));
      size += got;
      if (got < buffer.length && (got === 0 || size >= fstatSync(descriptor).size)) break;
    }
    const read = { digest: hash.digest("base64"), size, isSeveral };
    if (hashes && isUnchanged(before, fstatSync(descriptor, { bigint: true })))
      hashes.add(file, before, read);
    return { ...read, error: null };
  } catch (error) {
    return {
      digest: "unreadable",
      size: 0,
      isSeveral: false,
      error: error as NodeJS.ErrnoException,
    };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const isUnchanged = (before: BigIntStats, after: BigIntStats) =>
  before.size === after.size &&
  before.mtimeNs === after.mtimeNs &&
  before.ctimeNs === after.ctimeNs;
