/** @file Pixels as a PNG file, uncompressed filters; for figures of a report. Source: PNG specification, 2nd edition. */

import { zlibSync } from "fflate";
import { crc32 } from "../formats/index.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Colour types of 8-bit gray and RGB. */
const COLOUR_TYPES = { 1: 0, 3: 2 } as const;

/** @param pixels (size, size, channels) u8 */
export function encodePng(
  pixels: Uint8Array,
  { size, channels }: { readonly size: number; readonly channels: 1 | 3 },
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, size);
  view.setUint32(4, size);
  header.set([8, COLOUR_TYPES[channels]], 8);
  // Each row begins with its filter: 0, none.
  const row = size * channels;
  const rows = new Uint8Array(size * (row + 1));
  for (let y = 0; y < size; y++)
    rows.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const chunks = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const file = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of chunks) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** Length, type, data, and the checksum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
