/** @file A file as a source of bytes for the readers of weights, and zlib for those of archives. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import * as zlib from "node:zlib";
import { codeOf, WeightsError } from "../core/errors.ts";
import {
  type ByteSource,
  checkRange,
  type Decompressor,
  plainDecompressor,
} from "../formats/index.ts";

/**
 * Runs `use` over an open file and closes it.
 * @throws WeightsError where the file is missing or cannot be read
 */
export function withFile<T>(path: string, use: (source: ByteSource) => T): T {
  // Without waiting: a pipe that nobody writes to would never be open.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const handle = explain(path, () => openSync(path, flags));
  try {
    const stat = explain(path, () => fstatSync(handle));
    if (!stat.isFile())
      throw new WeightsError(
        `cannot read checkpoint ${path}: it is ${stat.isDirectory() ? "a folder" : "no regular file"}; give the path of a file`,
      );
    const about = { name: path, size: stat.size };
    return use({
      ...about,
      read(offset, length) {
        checkRange(about, offset, length);
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const count = explain(path, () =>
            readSync(handle, bytes, done, length - done, offset + done),
          );
          if (count === 0)
            throw new WeightsError(`cannot read checkpoint ${path}: it became shorter while read`);
          done += count;
        }
        return bytes;
      },
    });
  } finally {
    closeSync(handle);
  }
}

function explain<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = codeOf(error) ?? String(error);
    const found = { ENOENT: "there is no such file", EISDIR: "it is a folder" }[code] ?? code;
    throw new WeightsError(`cannot read checkpoint ${path}: ${found}; give the path of a file`, {
      cause: error,
    });
  }
}

/** zlib's, which is several times faster than JavaScript. */
export const zlibDecompressor: Decompressor = {
  inflate(packed, size) {
    // In one piece: pieces that are put together afterwards would be held twice.
    const inflated = zlib.inflateRawSync(packed, {
      maxOutputLength: Math.max(1, size),
      chunkSize: Math.max(64, size + 1),
    });
    const alone = inflated.byteOffset === 0 && inflated.buffer instanceof ArrayBuffer;
    return alone ? (inflated as Uint8Array<ArrayBuffer>) : new Uint8Array(inflated);
  },
  // Node has it from 20.15 on.
  crc32: (zlib as { crc32?: Decompressor["crc32"] }).crc32 ?? plainDecompressor.crc32,
};
