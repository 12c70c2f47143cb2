/**
 * @file Bytes at positions, in memory or wherever the caller has them (files/weight-files.ts opens files).
 * Readers of weights ask for what they need, so a large file is never held as a whole beside its tensors.
 */

import { WeightsError } from "../core/errors.ts";

export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * A copy of `length` bytes from `offset` on, at the start of a buffer of its own.
   * @throws WeightsError where they lie beyond the end; nothing is allocated before
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** @throws WeightsError where a source of that size lacks some of the bytes */
export function checkRange(
  { name, size }: Pick<ByteSource, "name" | "size">,
  offset: number,
  length: number,
): void {
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length)))
    throw new WeightsError(
      `${name}: points to bytes beyond any file; it is damaged: download or write it again`,
    );
  if (offset < 0 || length < 0 || offset + length > size)
    throw new WeightsError(
      `${name}: bytes ${offset} to ${offset + length} are needed, it has ${size}; it is cut short or damaged: download or write it again`,
    );
}

/** Bytes that are in memory already. */
export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  const about = { name, size: bytes.length };
  return {
    ...about,
    read(offset, length) {
      checkRange(about, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

/** Reads a source from the front, in pieces of 64 KiB. */
export class ByteReader {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  private readonly source: ByteSource;
  private readonly end: number;
  /** Position of the next byte in the source. */
  position: number;

  /** @param end position behind the last byte that may be read; default the source's size */
  constructor(source: ByteSource, position = 0, end = source.size) {
    this.source = source;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  byte(): number {
    let at = this.position - this.windowStart;
    if (at < 0 || at >= this.window.length) {
      this.need(1);
      this.windowStart = this.position;
      this.window = this.source.read(this.position, Math.min(65536, this.remaining));
      at = 0;
    }
    this.position++;
    return this.window[at]!;
  }

  bytes(length: number): Uint8Array {
    this.need(length);
    const at = this.position - this.windowStart;
    const inside = at >= 0 && at + length <= this.window.length;
    const result = inside
      ? this.window.subarray(at, at + length)
      : this.source.read(this.position, length);
    this.position += length;
    return result;
  }

  /** A little-endian unsigned integer of 1 to 6 bytes. */
  unsigned(length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value += this.byte() * 2 ** (8 * i);
    return value;
  }

  /** A little-endian unsigned integer of 8 bytes. @throws WeightsError above 2^53 */
  unsigned64(): number {
    const low = this.unsigned(4);
    const value = low + this.unsigned(4) * 2 ** 32;
    if (!Number.isSafeInteger(value))
      throw new WeightsError(
        `${this.source.name}: declares a length of ${value} bytes; it is damaged`,
      );
    return value;
  }

  /** @throws WeightsError where fewer bytes than that remain */
  need(length: number): void {
    if (length > this.remaining)
      throw new WeightsError(
        `${this.source.name}: ends at byte ${this.end}, where ${length} more from byte ${this.position} are announced; it is cut short or damaged`,
      );
  }
}
