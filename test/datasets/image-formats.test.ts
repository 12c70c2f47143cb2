/**
 * @file Formats of images: each is read to the pixels that PIL gives (test/fixtures/image_formats.py), or refused
 * by a sentence that lists what is read. The table of docs/guide/image-files.md is made here; to write it anew:
 *
 *   LRSCOPE_WRITE_DOCS=1 npx vitest run test/datasets/image-formats.test.ts
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unreadFormat } from "../../src/datasets/decoding/unread-formats.ts";
import { decodeForPrediction } from "../../src/datasets/predict.ts";
import { root } from "../house/rooms.ts";
import { largestDifference } from "./fixtures.ts";

interface Case {
  /** Of the guide's table. */
  readonly row: string;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Greatest difference that is allowed, in levels of 255. */
  readonly tolerance: number;
  /** Base64 of the file, and of (height, width, 3) u8 as PIL reads it. */
  readonly file: string;
  readonly rgb: string;
}

const fixture = join(root, "test", "fixtures", "image-formats.json");
const { cases } = JSON.parse(readFileSync(fixture, "utf8")) as { cases: Case[] };
const READ = "JPEG, PNG, WebP, GIF, TIFF, AVIF";
/** Formats that the library's build lacks, and samples whose range is unknown. */
const REFUSED: Readonly<Record<string, string>> = {
  HEIC: `HEIC is not a format that is read (${READ}); convert it to one of them`,
  BMP: `BMP is not a format that is read (${READ}); convert it to one of them`,
  "Netpbm (PBM, PGM, PPM)": `Netpbm (PBM, PGM, PPM) is not a format that is read (${READ}); convert it to one of them`,
  "JPEG 2000": `JPEG 2000 is not a format that is read (${READ}); convert it to one of them`,
  "TIFF, floats":
    "has samples of type float, of which nobody knows which value is white; save it with 8 or 16 bits a channel",
};

let folder: string;
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let decoded: Awaited<ReturnType<typeof decodeForPrediction>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-formats-"));
  const paths = cases.map(({ file }, i) => {
    const path = join(folder, `${i}.bin`);
    writeFileSync(path, Buffer.from(file, "base64"));
    return path;
  });
  // Images are 24 x 16, so that at 16 nothing is resampled and four columns are cut off at either side.
  decoded = await decodeForPrediction(paths, { size: 16, channels: 3 });
});

/** The middle square of PIL's pixels. */
function middle({ width, height, rgb }: Case): Uint8Array {
  const pixels = Buffer.from(rgb, "base64");
  const left = (width - height) / 2;
  const rows = Array.from({ length: height }, (_, y) =>
    pixels.subarray((y * width + left) * 3, (y * width + left + height) * 3),
  );
  return Buffer.concat(rows);
}

test.each(cases.map((entry, i) => [entry.row, entry.name, i] as const))("%s: %s", (row, _, i) => {
  const { pixels, reason } = decoded[i]!;
  expect(reason).toBe(REFUSED[row] ?? null);
  if (pixels)
    expect(largestDifference(pixels, middle(cases[i]!))).toBeLessThanOrEqual(cases[i]!.tolerance);
});

test.each([
  ["an AVIF of a general brand", "\0\0\0\x1cftypmif1\0\0\0\0mif1avif"],
  ["a sentence", "BMW drivers, and P6 of the plan"],
  ["nothing", ""],
])("no format has its name from %s", (_, start) =>
  expect(unreadFormat(Buffer.from(start, "latin1"))).toBeNull(),
);

test("the guide's table is the one of these files", () => {
  const rows = [...new Set(cases.map(({ row }) => row))].map((row) => {
    const own = cases.filter((entry) => entry.row === row);
    const refused = REFUSED[row];
    const most = Math.max(...own.map(({ tolerance }) => tolerance));
    return refused === undefined
      ? `| ${row} | yes | ${own.map(({ name }) => name).join("; ")} | ${most} |`
      : `| ${row} | no | “${refused}” | |`;
  });
  const table = [
    "| format | read | tried with, or what is said | levels from PIL, at most |",
    "|---|---|---|--:|",
    ...rows,
  ].join("\n");
  const page = join(root, "docs", "guide", "image-files.md");
  const text = readFileSync(page, "utf8");
  const written = text.replace(/\| format \| read[\s\S]*?\n\n/, `${table}\n\n`);
  if (process.env.LRSCOPE_WRITE_DOCS) writeFileSync(page, written);
  expect(text.includes(table) || written === readFileSync(page, "utf8")).toBe(true);
});
