/**
 * @file The file that decoded images are kept in, one a source and settings:
 *
 *   0     "lrscope\n", then u32 version, images, size, channels, then u64 where the images end and u64
 *         length of the JSON, then u32 CRC-32C of all that follows the images
 *   4092  u32 CRC-32C of the bytes before
 *   4096  the images, (n, size, size, channels) u8
 *   ...   u32 CRC-32C of each MiB of the images
 *   ...   JSON: fingerprint and broken items
 *
 * All numbers are little-endian. It is written to a temporary name and renamed, so that a file of the
 * final name is whole. One that is not, or of which a bit was changed since, is built again: every byte
 * is under a checksum, and all are checked when the file is opened (decision 0031).
 */

import { closeSync, fstatSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { withCleanup } from "../../core/cleanup.ts";
import { codeOf, StoreError } from "../../core/errors.ts";
import { type BrokenItem, type DecodedChunk, throwIfInterrupted } from "../../data/source.ts";
import { loadAddon, type NativeCache } from "../../engine/native/addon/index.ts";
import { openRegularFile } from "../../files/regular-file.ts";
import { storageError } from "../storage-errors.ts";
import { type WriteAt, writeWholeFile } from "./whole-file.ts";

/** How the file is laid out. Version 1, of lrscope 0.1, had no checksums. */
const FORMAT_VERSION = 2;
/** Byte at which the images begin: a page boundary. */
const PIXEL_OFFSET = 4096;
/** Of the images, under one checksum. */
const BLOCK_BYTES = 1 << 20;
/** Blocks checked between two looks at the signal. */
const BLOCKS_AT_A_TIME = 256;

const magic = Buffer.from("lrscope\n");
/** Where the header's own checksum lies. */
const headerChecksum = PIXEL_OFFSET - 4;

const contentsRecord = z.object({
  fingerprint: z.string(),
  broken: z.array(
    z.object({
      position: z.number().int().nonnegative(),
      file: z.string(),
      reason: z.string(),
      under: z.string().optional(),
    }),
  ),
});

export interface CacheKey {
  readonly fingerprint: string;
  readonly size: number;
  readonly channels: number;
  /** Items of the source that were asked for: images and broken ones. */
  readonly items: number;
}

export interface OpenedCache {
  /** Mapped; the caller closes it. */
  readonly cache: NativeCache;
  /** Images in the file. */
  readonly count: number;
  readonly broken: readonly BrokenItem[];
}

/** Why there is no such file that could be used. */
export interface NoCache {
  readonly cache: null;
  /** What is wrong with the one that is there; null where there is none. */
  readonly why: string | null;
}

export interface OpenCacheOptions {
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The file, whole, of this key, with every byte checked.
 * @throws StoreError where something that is no file stands in its place, or the system cannot open it;
 *   InterruptedError when the signal fires
 */
export async function openCacheFile(
  file: string,
  key: CacheKey,
  { threads, signal }: OpenCacheOptions,
): Promise<OpenedCache | NoCache> {
  const found = readContents(file, key);
  if ("cache" in found) return found;
  const { count, checksums, broken } = found;
  const { size, channels } = key;
  const addon = loadAddon();
  let cache: NativeCache;
  try {
    cache = addon.openCache(file, { size, channels, offset: PIXEL_OFFSET, count });
  } catch (cause) {
    throw new StoreError(`${(cause as Error).message}; run again, or remove the file`, { cause });
  }
  try {
    for (let first = 0; first < checksums.length; first += BLOCKS_AT_A_TIME) {
      const some = checksums.slice(first, first + BLOCKS_AT_A_TIME);
      const options = { first, blockBytes: BLOCK_BYTES, threads };
      const damaged = await addon.damagedBlock(cache, some, options);
      throwIfInterrupted(signal);
      if (damaged >= 0) {
        addon.closeCache(cache);
        return none(`MiB ${damaged + 1} of ${checksums.length} does not give its checksum`);
      }
    }
  } catch (error) {
    addon.closeCache(cache);
    throw error;
  }
  return { cache, count, broken };
}

interface Contents {
  readonly count: number;
  readonly checksums: Uint32Array;
  readonly broken: readonly BrokenItem[];
}

const none = (why: string | null): NoCache => ({ cache: null, why });

/** Everything but the images. */
function readContents(file: string, key: CacheKey): Contents | NoCache {
  const descriptor = openForReading(file);
  if (descriptor === null) return none(null);
  return withCleanup(
    () => {
      try {
        return parse(descriptor, key);
      } catch (error) {
        // A sector that cannot be read, or JSON that is none.
        return none(codeOf(error) ?? "what follows them is damaged");
      }
    },
    () => closeSync(descriptor),
  );
}

const unreadable = new Set(["EACCES", "EPERM", "ENOTDIR"]);

function openForReading(file: string): number | null {
  try {
    return openRegularFile(file);
  } catch (error) {
    // What may not be read is replaced; where the folder does not allow that either, writing says so.
    if (unreadable.has(codeOf(error) ?? "")) return null;
    throw storageError(error, dirname(file));
  }
}

function parse(descriptor: number, key: CacheKey): Contents | NoCache {
  const { crc32c } = loadAddon();
  const header = readAt(descriptor, 0, PIXEL_OFFSET);
  if (header === null || !header.subarray(0, 8).equals(magic)) return none("they have no header");
  const version = header.readUInt32LE(8);
  if (version === 1) return none("an earlier version kept them, without checksums");
  if (
    version !== FORMAT_VERSION ||
    crc32c(header.subarray(0, headerChecksum), 0) !== header.readUInt32LE(headerChecksum)
  )
    return none("their header is damaged");
  const count = header.readUInt32LE(12);
  const pixelBytes = count * key.size * key.size * key.channels;
  const start = Number(header.readBigUInt64LE(24));
  const jsonBytes = Number(header.readBigUInt64LE(32));
  const tableBytes = 4 * Math.ceil(pixelBytes / BLOCK_BYTES);
  if (
    header.readUInt32LE(16) !== key.size ||
    header.readUInt32LE(20) !== key.channels ||
    start !== PIXEL_OFFSET + pixelBytes
  )
    return none("they are of other images");
  if (fstatSync(descriptor).size !== start + tableBytes + jsonBytes)
    return none("their file is cut short, or too long");
  const tail = readAt(descriptor, start, tableBytes + jsonBytes);
  if (tail === null || crc32c(tail, 0) !== header.readUInt32LE(40))
    return none("what follows them is damaged");
  const json = JSON.parse(tail.toString("utf8", tableBytes));
  const { fingerprint, broken } = contentsRecord.parse(json);
  if (fingerprint !== key.fingerprint || count + broken.length !== key.items)
    return none("they are of other images");
  const checksums = Uint32Array.from({ length: tableBytes / 4 }, (_, i) =>
    tail.readUInt32LE(4 * i),
  );
  return { count, checksums, broken };
}

/** null where the file ends before. */
function readAt(descriptor: number, position: number, length: number): Buffer | null {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const got = readSync(descriptor, bytes, done, length - done, position + done);
    if (got === 0) return null;
    done += got;
  }
  return bytes;
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
  try {
    await writeWholeFile(file, (write) => writeContents(write, key, chunks));
  } catch (error) {
    // Decoding itself may be out of room: its memory counts as a file.
    throw storageError(error, dirname(file));
  }
}

async function writeContents(
  write: WriteAt,
  key: CacheKey,
  chunks: AsyncIterable<DecodedChunk>,
): Promise<void> {
  const { crc32c } = loadAddon();
  const broken: BrokenItem[] = [];
  const blocks = blockChecksums();
  let at = PIXEL_OFFSET;
  for await (const chunk of chunks) {
    // Before it is written: what a faulty disk gives back later is compared with what was decoded.
    blocks.add(chunk.pixels);
    await write(chunk.pixels, at);
    at += chunk.pixels.length;
    broken.push(...chunk.broken);
  }
  const json = Buffer.from(JSON.stringify({ fingerprint: key.fingerprint, broken }));
  const tail = Buffer.concat([blocks.table(), json]);
  await write(tail, at);
  const header = Buffer.alloc(PIXEL_OFFSET);
  magic.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, 8);
  header.writeUInt32LE((at - PIXEL_OFFSET) / (key.size * key.size * key.channels), 12);
  header.writeUInt32LE(key.size, 16);
  header.writeUInt32LE(key.channels, 20);
  header.writeBigUInt64LE(BigInt(at), 24);
  header.writeBigUInt64LE(BigInt(json.length), 32);
  header.writeUInt32LE(crc32c(tail, 0), 40);
  header.writeUInt32LE(crc32c(header.subarray(0, headerChecksum), 0), headerChecksum);
  await write(header, 0);
}

/** Checksums of equal blocks of bytes that come in pieces of any length. */
function blockChecksums() {
  const { crc32c } = loadAddon();
  const finished: number[] = [];
  let current = 0;
  let filled = 0;
  return {
    add(bytes: Uint8Array) {
      for (let done = 0; done < bytes.length; ) {
        const some = bytes.subarray(done, done + BLOCK_BYTES - filled);
        current = crc32c(some, current);
        filled += some.length;
        done += some.length;
        if (filled < BLOCK_BYTES) break;
        finished.push(current);
        current = filled = 0;
      }
    },
    /** As the file holds it. */
    table(): Buffer {
      const all = filled > 0 ? [...finished, current] : finished;
      const table = Buffer.alloc(4 * all.length);
      for (const [i, checksum] of all.entries()) table.writeUInt32LE(checksum, 4 * i);
      return table;
    },
  };
}
