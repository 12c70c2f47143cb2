/**
 * @file The file that a network's frozen part leaves its features in, as bfloat16:
 *
 *   0     "lrsfeat\n", then u32 version, u32 rows, u32 values a row, u32 0, f64 seconds that it took,
 *         then SHA-256 of what was asked for and of the rows
 *   4064  SHA-256 of the bytes before; zeros in files of lrscope 0.1
 *   4096  the rows, each (channels, height, width)
 *
 * All numbers are little-endian. Written to a temporary name, synced and renamed; a file that is cut, or
 * whose rows do not give their SHA-256, counts as none, so that it is made again.
 */

import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { toBfloat16 } from "../../core/bfloat16.ts";
import { codeOf, StoreError } from "../../core/errors.ts";
import { checkTypedArray } from "../../core/typed-arrays.ts";
import { openRegularHandle } from "../../files/regular-file.ts";
import { storageError } from "../storage-errors.ts";
import { writeWholeFile } from "./whole-file.ts";

/** Part of what a file is asked for by: raise it when its contents change their meaning. */
export const FEATURE_VERSION = 1;
/** Byte at which the rows begin: a page boundary. */
const ROWS = 4096;
/** Byte of the header's own SHA-256. */
const HEADER_HASH = ROWS - 32;
const MAGIC = Buffer.from("lrsfeat\n");
const CHUNK = 4 << 20;

export interface FeatureKey {
  /** SHA-256, hexadecimal, of all that the rows depend on. */
  readonly fingerprint: string;
  readonly rows: number;
  /** Values a row. */
  readonly length: number;
}

export interface FeatureFile {
  readonly bytes: number;
  /** That making it took. */
  readonly seconds: number;
  /**
   * Reads a row, widened to float32; several may be read at a time.
   * @throws ArgumentError where `into` is too short, or lost its memory meanwhile
   */
  read(row: number, into: Float32Array): Promise<void>;
  close(): void;
}

/**
 * The file, whole and of this key; null where there is none such.
 * @throws StoreError where something that is no file stands in its place, or the system cannot open it
 */
export async function openFeatureFile(path: string, key: FeatureKey): Promise<FeatureFile | null> {
  const handle = await openRegularHandle(path).catch((error) => {
    // What may not be read is replaced; where the folder does not allow that either, writing says so.
    if (["EACCES", "EPERM", "ENOTDIR"].includes(codeOf(error) ?? "")) return null;
    throw storageError(error, dirname(path));
  });
  if (handle === null) return null;
  const seconds = await readHeader(handle, key).catch(() => null);
  if (seconds === null) {
    await handle.close();
    return null;
  }
  const rowBytes = 2 * key.length;
  const spare: Buffer[] = [];
  return {
    bytes: ROWS + key.rows * rowBytes,
    seconds,
    async read(row, into) {
      // Into memory that no one else has: what `into` lies in may be transferred away meanwhile.
      const bytes = spare.pop() ?? Buffer.allocUnsafeSlow(rowBytes);
      for (let done = 0; done < rowBytes; ) {
        const at = ROWS + row * rowBytes + done;
        const { bytesRead } = await handle.read(bytes, done, rowBytes - done, at);
        if (bytesRead === 0)
          throw new StoreError(`${path}: ends before its row ${row}; it was changed while in use`, {
            exitCode: 1,
          });
        done += bytesRead;
      }
      checkTypedArray(path, "a row", "Float32Array", into, key.length);
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, key.length);
      const words = new Uint32Array(into.buffer, into.byteOffset, key.length);
      for (let i = 0; i < key.length; i++) words[i] = halves[i]! << 16;
      spare.push(bytes);
    },
    close: () => void handle.close(),
  };
}

/** Seconds that the file took; null where it is damaged or of something else. */
async function readHeader(handle: FileHandle, key: FeatureKey): Promise<number | null> {
  const header = Buffer.alloc(ROWS);
  if ((await handle.read(header, 0, ROWS, 0)).bytesRead !== ROWS) return null;
  const { size } = await handle.stat();
  const isOurs =
    header.subarray(0, 8).equals(MAGIC) &&
    header.readUInt32LE(8) === FEATURE_VERSION &&
    header.readUInt32LE(12) === key.rows &&
    header.readUInt32LE(16) === key.length &&
    header.toString("hex", 32, 64) === key.fingerprint &&
    size === ROWS + 2 * key.rows * key.length &&
    (header.subarray(HEADER_HASH).equals(hashOf(header.subarray(0, HEADER_HASH))) ||
      header.subarray(96).every((byte) => byte === 0));
  if (!isOurs) return null;
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK);
  for (let at = ROWS; at < size; ) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, at);
    if (bytesRead === 0) return null;
    hash.update(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest("hex") === header.toString("hex", 64, 96) ? header.readDoubleLE(24) : null;
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

export interface FeatureWriter {
  /** The next rows, one after the other. */
  append(values: ArrayLike<number>): Promise<void>;
}

/**
 * Writes a file from the rows that `make` appends, in order. Whatever goes wrong, nothing is left behind
 * under any name.
 * @throws StoreError for a full disk or a folder that cannot be written
 */
export async function writeFeatureFile(
  path: string,
  key: FeatureKey,
  make: (writer: FeatureWriter) => Promise<void>,
): Promise<void> {
  const started = performance.now();
  const hash = createHash("sha256");
  let at = ROWS;
  await writeWholeFile(path, async (write) => {
    await make({
      async append(values) {
        const halves = toBfloat16(values);
        const bytes = new Uint8Array(halves.buffer);
        hash.update(bytes);
        await write(bytes, at);
        at += bytes.length;
      },
    });
    const header = Buffer.alloc(ROWS);
    MAGIC.copy(header);
    header.writeUInt32LE(FEATURE_VERSION, 8);
    header.writeUInt32LE(key.rows, 12);
    header.writeUInt32LE(key.length, 16);
    header.writeDoubleLE((performance.now() - started) / 1000, 24);
    header.write(key.fingerprint, 32, "hex");
    hash.digest().copy(header, 64);
    hashOf(header.subarray(0, HEADER_HASH)).copy(header, HEADER_HASH);
    await write(header, 0);
  });
}
