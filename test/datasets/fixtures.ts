/** @file Folders of images that the data tests make for themselves, and the addon's presence. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { onTestFinished } from "vitest";
import type { Dataset, OpenOptions } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";

/** A new folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lrscope data é "));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Write files by relative name, and give back the folder. */
export function writeTree(
  files: Readonly<Record<string, Uint8Array | string>>,
  root = temporaryFolder(),
): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return root;
}

/** Open with a cache of the test's own. */
export async function open(source: string, options: OpenOptions = {}): Promise<Dataset> {
  const dataset = await openDataset(source, {
    cacheDir: temporaryFolder(),
    threads: 2,
    ...options,
  });
  onTestFinished(() => dataset.close());
  return dataset;
}

/** Raw interleaved pixels of a function of (x, y). */
export function paint(
  width: number,
  height: number,
  channels: number,
  value: (x: number, y: number, c: number) => number,
): Uint8Array {
  return Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return value(pixel % width, Math.floor(pixel / width), i % channels);
  });
}

/** A picture that no rotation or mirroring maps onto itself, smooth enough for JPEG. */
export const asymmetric = (width: number, height: number) =>
  paint(width, height, 3, (x, y, c) => {
    const [u, v] = [(x + 0.5) / width, (y + 0.5) / height];
    return 40 + 170 * [u, v, u * u * (1 - v)][c]!;
  });

export const rawImage = (
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3 | 4 = 3,
) => sharp(pixels, { raw: { width, height, channels } });

export const png = (pixels: Uint8Array, width: number, height: number) =>
  rawImage(pixels, width, height).png().toBuffer();

export const jpeg = (pixels: Uint8Array, width: number, height: number) =>
  rawImage(pixels, width, height).jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer();

/** A plain square of one colour, as PNG. */
export const plain = (red: number, green = red, blue = red, side = 8) =>
  png(
    paint(side, side, 3, (_x, _y, c) => [red, green, blue][c]!),
    side,
    side,
  );

/** The pixels of image `index` as stored, (size, size, channels). */
export async function storedPixels(dataset: Dataset, index: number): Promise<Uint8Array> {
  const { data, info } = await sharp(await dataset.png(index))
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Uint8Array.from(data).filter((_, i) => i % info.channels < dataset.channels);
}

/** Largest absolute difference of two arrays of equal length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** Photos that are too many to keep with the project. */
export const flowers = new URL("../../../shared/data/flowers-128", import.meta.url).pathname;
export const flowersAbsent = existsSync(flowers) ? "" : "flowers-128 is not beside the checkout";
