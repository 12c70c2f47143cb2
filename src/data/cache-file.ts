/**
 * @file The file that decoded images are kept in, one a source and settings:
 *
 *   0     "lrscope\n", then u32 version, images, size, channels, then u64 start and length of the JSON
 *   4096  the images, (n, size, size, channels) u8
 *   ...   JSON: fingerprint and broken items
 *
 * All numbers are little-endian. It is written to a temporary name and renamed, so that a file of the
 * final name is whole; one that is not, after a crash of the machine, is built again.
 */

import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolders } from "../files/make-folders.ts";
import type { BrokenItem, DecodedChunk } from "./source.ts";
import { storageError } from "./storage-errors.ts";

/** Part of every fingerprint: raise it when decoding changes. */
export const CACHE_VERSION = 1;
/** Byte at which the images begin: a page boundary. */
export const PIXEL_OFFSET = 4096;

const magic = Buffer.from("lrscope\n");
const headerBytes = 40;

export interface CacheKey {
  readonly fingerprint: string;
  readonly size: number;
  readonly channels: number;
}

export interface CacheContents {
  /** Images in the file. */
  readonly count: number;
  readonly broken: readonly BrokenItem[];
}

/** What the file holds; null when there is none, or it is damaged or of something else. */
export function readCacheFile(file: string, key: CacheKey): CacheContents | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return null;
  }
  try {
    const header = Buffer.alloc(headerBytes);
    if (readSync(descriptor, header, 0, headerBytes, 0) !== headerBytes) return null;
    if (!header.subarray(0, 8).equals(magic) || header.readUInt32LE(8) !== CACHE_VERSION)
      return null;
    const count = header.readUInt32LE(12);
    if (header.readUInt32LE(16) !== key.size || header.readUInt32LE(20) !== key.channels)
      return null;
    const start = Number(header.readBigUInt64LE(24));
    const length = Number(header.readBigUInt64LE(32));
    if (start !== PIXEL_OFFSET + count * key.size * key.size * key.channels) return null;
    if (fstatSync(descriptor).size !== start + length) return null;
    const json = Buffer.alloc(length);
    if (readSync(descriptor, json, 0, length, start) !== length) return null;
    const { fingerprint, broken } = JSON.parse(json.toString("utf8"));
    return fingerprint === key.fingerprint && Array.isArray(broken) ? { count, broken } : null;
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Write the chunks to `file`. Whatever goes wrong, nothing is left behind under any name.
 * @throws StoreError for a full disk or a folder that cannot be written
 */
export async function writeCacheFile(
  file: string,
  key: CacheKey,
  chunks: AsyncIterable<DecodedChunk>,
): Promise<void> {
  const folder = dirname(file);
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  let handle: FileHandle | undefined;
  try {
    makeFolders(folder);
    await sweep(folder);
    handle = await open(temporary, "wx");
    await writeContents(handle, key, chunks);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, file);
  } catch (error) {
    await handle?.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw storageError(error, folder);
  }
}

async function writeContents(
  handle: FileHandle,
  key: CacheKey,
  chunks: AsyncIterable<DecodedChunk>,
): Promise<void> {
  const broken: BrokenItem[] = [];
  let at = PIXEL_OFFSET;
  for await (const chunk of chunks) {
    await writeAll(handle, chunk.pixels, at);
    at += chunk.pixels.length;
    broken.push(...chunk.broken);
  }
  const json = Buffer.from(JSON.stringify({ fingerprint: key.fingerprint, broken }));
  await writeAll(handle, json, at);
  const header = Buffer.alloc(PIXEL_OFFSET);
  magic.copy(header);
  header.writeUInt32LE(CACHE_VERSION, 8);
  header.writeUInt32LE((at - PIXEL_OFFSET) / (key.size * key.size * key.channels), 12);
  header.writeUInt32LE(key.size, 16);
  header.writeUInt32LE(key.channels, 20);
  header.writeBigUInt64LE(BigInt(at), 24);
  header.writeBigUInt64LE(BigInt(json.length), 32);
  await writeAll(handle, header, 0);
}

/** A write may be short when the disk is nearly full; the next one then says so. */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Remove what a process that was killed left here a day or more ago. */
export async function sweep(folder: string): Promise<void> {
  const day = 24 * 60 * 60 * 1000;
  for (const name of await readdir(folder)) {
    if (!/\.\d+\.[0-9a-f]{8}\.tmp$/.test(name)) continue;
    const file = join(folder, name);
    const status = await stat(file).catch(() => null);
    if (status !== null && Date.now() - status.mtimeMs > day) await unlink(file).catch(() => {});
  }
}
