/**
 * @file What reading a ZIP archive asks of its surroundings: unpacking and checksums. Node hands in zlib's
 * (files/weight-files.ts); a browser, and whoever hands in nothing, takes those in plain JavaScript.
 */

import { Inflate } from "fflate";
import { crc32 } from "./crc32.ts";

export interface Decompressor {
  /**
   * What a raw deflate stream (RFC 1951) unpacks to, at the start of a buffer of its own; allocates in
   * proportion to `size`, whatever the stream holds.
   * @param size bytes that it must not exceed
   * @throws Error where it unpacks to more, is damaged or cut short
   */
  inflate(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer>;
  /** Of ISO 3309, as an unsigned 32-bit integer. */
  crc32(bytes: Uint8Array): number;
}

/** Bytes that are unpacked at a time: as deflate makes 1032 of one at most, some MiB of what is too much. */
const PIECE_BYTES = 2048;

/** Needs nothing but JavaScript. */
export const plainDecompressor: Decompressor = {
  inflate(packed, size) {
    if (packed.length === 0) throw new RangeError("an empty deflate stream has no end");
    const whole = new Uint8Array(size);
    let length = 0;
    const stream = new Inflate((chunk) => {
      if (length + chunk.length > size)
        throw new RangeError(`a deflate stream exceeds the ${size} bytes allowed`);
      whole.set(chunk, length);
      length += chunk.length;
    });
    for (let at = 0; at < packed.length; at += PIECE_BYTES) {
      const end = Math.min(packed.length, at + PIECE_BYTES);
      stream.push(packed.subarray(at, end), end === packed.length);
    }
    return length === size ? whole : whole.slice(0, length);
  },
  crc32,
};
