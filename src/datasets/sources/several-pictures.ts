/**
 * @file Whether a file holds more than the picture that is taken of it: an animation, or a document of pages. Told by
 * the structure of the file alone, of which nothing is decoded.
 */

import { readSync } from "node:fs";

/** The byte at a position; -1 where the file ends before. */
type ByteAt = (position: number) => number;

const WINDOW = 1 << 16;

function bytesOf(descriptor: number): ByteAt {
  const window = Buffer.allocUnsafe(WINDOW);
  let [begin, end] = [0, 0];
  return (position) => {
    if (position < begin || position >= end) {
      begin = position;
      end = begin + readSync(descriptor, window, 0, WINDOW, begin);
    }
    return position < end ? (window[position - begin] ?? -1) : -1;
  };
}

/**
 * @param head the first bytes, by which alone most files are known to hold one: 32 are enough
 * @throws what reading the file throws
 */
export function holdsSeveralPictures(head: Uint8Array, descriptor: number): boolean {
  const starts = (text: string, at = 0) =>
    text.length + at <= head.length && [...text].every((c, i) => head[at + i] === c.charCodeAt(0));
  if (starts("GIF8")) return ofGif(bytesOf(descriptor));
  if (starts("RIFF") && starts("WEBPVP8X", 8)) return ((head[20] ?? 0) & 0x02) !== 0;
  if (starts("ftypavis", 4)) return true;
  if (starts("II*\0") || starts("MM\0*")) return ofTiff(bytesOf(descriptor), head[0] === 0x49);
  return false;
}

/** GIF89a, appendix B: a second image descriptor. */
function ofGif(byte: ByteAt): boolean {
  const tableBytes = (packed: number) => (packed & 0x80 ? 3 << ((packed & 7) + 1) : 0);
  /** Where the blocks from there on end: each has its length before it, the last has none. */
  const afterBlocks = (from: number) => {
    let at = from;
    for (let length = byte(at); length > 0; length = byte(at)) at += 1 + length;
    return at + 1;
  };
  let at = 13 + tableBytes(byte(10));
  for (let images = 0; ; ) {
    const kind = byte(at);
    if (kind === 0x21) at = afterBlocks(at + 2);
    else if (kind === 0x2c) {
      if (++images === 2) return true;
      at = afterBlocks(at + 11 + tableBytes(byte(at + 9)));
    } else return false;
  }
}

/** TIFF 6.0, section 2: the first directory names another, which is no smaller version of the same picture. */
function ofTiff(byte: ByteAt, little: boolean): boolean {
  const number = (at: number, bytes: number) => {
    let value = 0;
    for (let i = 0; i < bytes; i++)
      value = value * 256 + Math.max(0, byte(at + (little ? bytes - 1 - i : i)));
    return value;
  };
  const first = number(4, 4);
  const second = number(first + 2 + 12 * number(first, 2), 4);
  if (first === 0 || second === 0) return false;
  const REDUCED = 1;
  for (let i = 0, entries = number(second, 2); i < entries; i++) {
    const entry = second + 2 + 12 * i;
    if (number(entry, 2) === 254) return (number(entry + 8, 4) & REDUCED) === 0;
  }
  return number(second, 2) > 0;
}
