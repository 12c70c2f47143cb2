/**
 * @file JPEGs are decoded at 1/2, 1/4 or 1/8 where that is enough, and then resampled. Against the triangle
 * filter in float64 over every pixel: what antialiased resizing in PIL and torchvision computes.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { philox } from "../../src/core/philox.ts";
import { decodeForPrediction } from "../../src/datasets/predict.ts";
import { root } from "../house/rooms.ts";
import { paint, rawImage, temporaryFolder, writeTree } from "./fixtures.ts";

/** Broad shapes and fine noise, as photos have both. */
const photo = (width: number, height: number) =>
  paint(width, height, 3, (x, y, c) => {
    const wave = 60 * Math.sin(x / (9 + 4 * c)) * Math.cos(y / 13);
    const noise = philox([x >> 1, y >> 1, c, 0], 3, 4)[0] & 31;
    return Math.max(0, Math.min(255, 110 + (80 * x) / width + wave + noise));
  });

/** Rows of weights (resized, length) of the antialiased triangle filter, without zeros. */
function taps(length: number, resized: number): [number, number][][] {
  const scale = length / resized;
  const support = Math.max(1, scale);
  return Array.from({ length: resized }, (_, o) => {
    const centre = (o + 0.5) * scale;
    const own: [number, number][] = [];
    for (let k = Math.max(0, Math.floor(centre - support)); k < length; k++) {
      const weight = 1 - Math.abs(k + 0.5 - centre) / support;
      if (k > centre + support) break;
      if (weight > 0) own.push([k, weight]);
    }
    const sum = own.reduce((total, [, weight]) => total + weight, 0);
    return own.map(([k, weight]) => [k, weight / sum]);
  });
}

/** Shorter side to `size`, centre crop, of upright pixels (height, width, 3). */
function expected(pixels: Uint8Array, width: number, height: number, size: number): Float64Array {
  const shorter = Math.min(width, height);
  const [w, h] = [Math.floor((size * width) / shorter), Math.floor((size * height) / shorter)];
  const columns = taps(width, w).slice(Math.floor((w - size) / 2));
  const rows = taps(height, h).slice(Math.floor((h - size) / 2));
  const narrow = new Float64Array(height * size * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < size; x++)
      for (const [k, weight] of columns[x]!)
        for (let c = 0; c < 3; c++)
          narrow[(y * size + x) * 3 + c]! += weight * pixels[(y * width + k) * 3 + c]!;
  const square = new Float64Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (const [k, weight] of rows[y]!)
      for (let i = 0; i < size * 3; i++)
        square[y * size * 3 + i]! += weight * narrow[k * size * 3 + i]!;
  return square;
}

async function meanError(width: number, height: number, size: number, orientation = 1) {
  const bytes = await rawImage(photo(width, height), width, height)
    .withMetadata({ orientation })
    .jpeg({ quality: 92 })
    .toBuffer();
  const folder = writeTree({ "photo.jpg": bytes }, temporaryFolder());
  const [decoded] = await decodeForPrediction([join(folder, "photo.jpg")], { size, channels: 3 });
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const wanted = expected(new Uint8Array(data), info.width, info.height, size);
  const got = decoded!.pixels!;
  return wanted.reduce((sum, value, i) => sum + Math.abs(value - got[i]!), 0) / wanted.length;
}

/** Odd sizes of every reduction, with the last column and row of each width that a block may have. */
const SIZES: [number, number, number][] = Array.from({ length: 24 }, (_, i) => {
  const size = [32, 48, 64, 96, 112, 128][i % 6]!;
  const shorter = Math.round(size * [2.1, 4.3, 8.2, 9.7][i % 4]!) + i;
  return [shorter + 37 * (i % 5) + 1, shorter, size];
});

interface PilCase {
  readonly width: number;
  readonly height: number;
  readonly size: number;
  /** Base64 of the file, and of (size, size, 3) u8 as PIL resizes and crops it. */
  readonly jpeg: string;
  readonly rgb: string;
}

/** The smallest of what test/fixtures/reduced_scale.py makes; all 58 are for a measurement by hand. */
const PIL: readonly PilCase[] = JSON.parse(
  readFileSync(join(root, "test", "fixtures", "reduced-scale.json"), "utf8"),
);

test.each(PIL)("PIL's own thumbnail of $width x $height at $size", async ({ size, jpeg, rgb }) => {
  const folder = writeTree({ "photo.jpg": Buffer.from(jpeg, "base64") }, temporaryFolder());
  const [decoded] = await decodeForPrediction([join(folder, "photo.jpg")], { size, channels: 3 });
  const wanted = Buffer.from(rgb, "base64");
  const sum = decoded!.pixels!.reduce((total, value, i) => total + Math.abs(value - wanted[i]!), 0);
  expect(sum / wanted.length).toBeLessThan(0.6);
});

describe("mean error in levels, of 255", () => {
  test("1174 x 833 at 64", async () => {
    expect(await meanError(1174, 833, 64)).toBeLessThan(0.6);
  });

  test.each(SIZES)("%i x %i at %i", async (width, height, size) => {
    expect(await meanError(width, height, size)).toBeLessThan(0.6);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("orientation %i", async (orientation) => {
    expect(await meanError(301, 275, 32, orientation)).toBeLessThan(0.6);
  });
});
