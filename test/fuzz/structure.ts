/**
 * @file Where the parts and the numbers of a file lie, by its format, so that mutations hit what a
 * reader believes: lengths, counts, offsets, extents. Damaged files are scanned as far as they go.
 */

import { crc32 } from "node:zlib";

/** An unsigned number of a file. */
export interface Field {
  readonly at: number;
  readonly bytes: 1 | 2 | 4;
  readonly little: boolean;
}

export interface Structure {
  /** Where each part begins and ends: segments, chunks, blocks. */
  readonly parts: readonly (readonly [start: number, end: number])[];
  readonly fields: readonly Field[];
}

type Scan = (bytes: Buffer) => Structure;

const big = (at: number, bytes: Field["bytes"]): Field => ({ at, bytes, little: false });
const little = (at: number, bytes: Field["bytes"]): Field => ({ at, bytes, little: true });

/** Segments behind their markers, up to the entropy-coded data; extents and sampling of frame headers. */
const jpeg: Scan = (bytes) => {
  const parts: [number, number][] = [];
  const fields: Field[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    const end = Math.min(bytes.length, at + 2 + bytes.readUInt16BE(at + 2));
    if (end < at + 4) break;
    parts.push([at, end]);
    fields.push(big(at + 1, 1), big(at + 2, 2));
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame && end - at >= 10) {
      fields.push(big(at + 4, 1), big(at + 5, 2), big(at + 7, 2), big(at + 9, 1));
      for (let c = at + 10; c + 3 <= end; c += 3)
        fields.push(big(c, 1), big(c + 1, 1), big(c + 2, 1));
    }
    // Table classes and identifiers, restart intervals, scan parameters.
    for (let i = at + 4; i < Math.min(end, at + 8); i++) fields.push(big(i, 1));
    at = end;
    if (marker === 0xda) {
      parts.push([at, bytes.length]);
      // Later scans and restart markers of a progressive file.
      for (let i = at; i + 4 <= bytes.length && fields.length < 400; i++)
        if (bytes[i] === 0xff && bytes[i + 1] !== 0) fields.push(big(i + 1, 1), big(i + 2, 2));
      break;
    }
  }
  return { parts, fields };
};

/** Chunks with their lengths and CRCs; the numbers of IHDR. */
const png: Scan = (bytes) => {
  const parts: [number, number][] = [];
  const fields: Field[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    parts.push([at, end]);
    fields.push(big(at, 4));
    if (bytes.toString("latin1", at + 4, at + 8) === "IHDR" && end - at >= 25) {
      fields.push(big(at + 8, 4), big(at + 12, 4));
      for (let i = 16; i < 21; i++) fields.push(big(at + i, 1));
    }
    at = end;
  }
  return { parts, fields };
};

/** RIFF chunks, one level below the outer one; the first bytes of each. */
const webp: Scan = (bytes) => {
  const parts: [number, number][] = [];
  const fields: Field[] = bytes.length >= 8 ? [little(4, 4)] : [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const end = Math.min(bytes.length, at + 8 + length + (length & 1));
    parts.push([at, end]);
    fields.push(little(at + 4, 4));
    for (let i = at + 8; i + 2 <= Math.min(end, at + 20); i += 2) fields.push(little(i, 2));
    at = end;
  }
  return { parts, fields };
};

/** Screen and frame headers; blocks are found by their introducers. */
const gif: Scan = (bytes) => {
  const parts: [number, number][] = [];
  const fields: Field[] = [];
  for (const at of [6, 8]) if (at + 2 <= bytes.length) fields.push(little(at, 2));
  if (bytes.length > 10) fields.push(little(10, 1));
  let start = 13;
  for (let i = 13; i + 10 <= bytes.length; i++) {
    if (bytes[i] !== 0x2c && bytes[i] !== 0x21) continue;
    parts.push([start, i]);
    start = i;
    if (bytes[i] === 0x2c) for (const at of [1, 3, 5, 7]) fields.push(little(i + at, 2));
    else fields.push(little(i + 2, 1));
  }
  parts.push([start, bytes.length]);
  return { parts, fields };
};

/** The first directory's entries: tag, type, count, value or offset. */
const tiff: Scan = (bytes) => {
  const parts: [number, number][] = [];
  const fields: Field[] = [];
  if (bytes.length < 8) return { parts, fields };
  const isLittle = bytes[0] === 0x49;
  const number = isLittle ? little : big;
  const u16 = (at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const directory = isLittle ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
  fields.push(number(4, 4));
  if (directory + 2 > bytes.length) return { parts, fields };
  fields.push(number(directory, 2));
  for (let i = 0; i < u16(directory); i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > bytes.length) break;
    parts.push([at, at + 12]);
    fields.push(number(at, 2), number(at + 2, 2), number(at + 4, 4), number(at + 8, 4));
  }
  return { parts, fields };
};

/** IDX: magic number and extents. */
const idx: Scan = (bytes) => ({
  parts: [],
  fields: Array.from({ length: 1 + bytes[3]! }, (_, i) => big(4 * i, 4)),
});

/** lrscope's own files of decoded images and of features: the header's numbers, and the pixels' end. */
const ownFile: Scan = (bytes) => ({
  parts: [
    [0, 64],
    [64, 4096],
    [4096, bytes.length],
  ],
  fields: Array.from({ length: 16 }, (_, i) => little(8 + 4 * i, 4)),
});

/** By the first bytes; anything else has no structure. */
export function structureOf(bytes: Buffer): Structure {
  const start = bytes.toString("latin1", 0, 12);
  if (start.startsWith("\xff\xd8")) return jpeg(bytes);
  if (start.startsWith("\x89PNG")) return png(bytes);
  if (start.startsWith("RIFF")) return webp(bytes);
  if (start.startsWith("GIF8")) return gif(bytes);
  if (start.startsWith("II*\0") || start.startsWith("MM\0*")) return tiff(bytes);
  if (bytes.length >= 16 && [0x801, 0x803].includes(bytes.readUInt32BE(0))) return idx(bytes);
  if (bytes.length > 4096 && /^(lrscope|lrsfeat)\n/.test(start)) return ownFile(bytes);
  return { parts: [], fields: [] };
}

/** Makes the CRCs of a PNG right again, as a reader looks no further than a wrong one. */
export function repairPng(bytes: Buffer): void {
  if (bytes.toString("latin1", 0, 4) !== "\x89PNG") return;
  for (const [start, end] of png(bytes).parts)
    bytes.writeUInt32BE(crc32(bytes.subarray(start + 4, end - 4)), end - 4);
}
