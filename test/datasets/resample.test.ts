/** @file The native resampler against the triangle filter's formula in float64. */

import { describe, expect, test } from "vitest";
import { philox } from "../../src/core/philox.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import { largestDifference, paint } from "./fixtures.ts";

const noise = (width: number, height: number, channels: number) =>
  paint(width, height, channels, (x, y, c) => philox([x, y, c, 0], 1, 2)[0] & 255);

/** Taps of output `o`: source sample k counts max(0, 1 - |k + 0.5 - centre| / support). */
function taps(o: number, length: number, resized: number): [number, number][] {
  const scale = length / resized;
  const support = Math.max(1, scale);
  const centre = (o + 0.5) * scale;
  const found: [number, number][] = [];
  for (let k = 0; k < length; k++) {
    const weight = Math.max(0, 1 - Math.abs(k + 0.5 - centre) / support);
    if (weight > 0) found.push([k, weight]);
  }
  const sum = found.reduce((total, [, weight]) => total + weight, 0);
  return found.map(([k, weight]) => [k, weight / sum]);
}

function expected(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
  size: number,
) {
  const shorter = Math.min(width, height);
  const [w, h] = [Math.floor((size * width) / shorter), Math.floor((size * height) / shorter)];
  const [left, top] = [Math.floor((w - size) / 2), Math.floor((h - size) / 2)];
  return Float64Array.from({ length: size * size * channels }, (_, i) => {
    const c = i % channels;
    const [x, y] = [Math.floor(i / channels) % size, Math.floor(i / channels / size)];
    let sum = 0;
    for (const [row, a] of taps(y + top, height, h))
      for (const [column, b] of taps(x + left, width, w))
        sum += a * b * pixels[(row * width + column) * channels + c]!;
    return sum;
  });
}

async function resample(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
  size: number,
) {
  const target = new Uint8Array(size * size * channels);
  await loadAddon().resampleImage(pixels, { width, height, channels }, target, { size, channels });
  return target;
}

describe("resampling", () => {
  test.each([
    [40, 30, 3, 8],
    [30, 41, 3, 16],
    [17, 23, 1, 16],
    [9, 7, 3, 21],
    [100, 10, 1, 9],
    [1, 5, 3, 4],
    [33, 32, 3, 32],
    [227, 227, 3, 128],
  ])("%i x %i x %i to %i: half a level of the formula", async (width, height, channels, size) => {
    const pixels = noise(width, height, channels);
    const found = await resample(pixels, width, height, channels, size);
    const difference = largestDifference(found, expected(pixels, width, height, channels, size));
    expect(difference).toBeLessThan(0.501);
  });

  test("an image of the right size is copied, its middle when it is longer", async () => {
    const square = noise(16, 16, 3);
    expect(await resample(square, 16, 16, 3, 16)).toEqual(square);
    const wide = noise(21, 16, 3);
    const middle = paint(16, 16, 3, (x, y, c) => wide[(y * 21 + x + 2) * 3 + c]!);
    expect(await resample(wide, 21, 16, 3, 16)).toEqual(middle);
  });

  test("colour becomes BT.601 luma, gray becomes three channels", async () => {
    const colour = noise(8, 8, 3);
    const gray = new Uint8Array(64);
    await loadAddon().resampleImage(colour, { width: 8, height: 8, channels: 3 }, gray, {
      size: 8,
      channels: 1,
    });
    const luma = Float64Array.from(
      gray,
      (_, i) => 0.299 * colour[3 * i]! + 0.587 * colour[3 * i + 1]! + 0.114 * colour[3 * i + 2]!,
    );
    expect(largestDifference(gray, luma)).toBeLessThan(0.501);
    const three = new Uint8Array(192);
    await loadAddon().resampleImage(gray, { width: 8, height: 8, channels: 1 }, three, {
      size: 8,
      channels: 3,
    });
    expect(three).toEqual(paint(8, 8, 3, (x, y) => gray[y * 8 + x]!));
  });

  test("buffers that are too small are refused, not overrun", () => {
    const shape = { width: 8, height: 8, channels: 3 };
    const run = (source: number, target: number) =>
      loadAddon().resampleImage(new Uint8Array(source), shape, new Uint8Array(target), {
        size: 4,
        channels: 3,
      });
    expect(() => run(191, 48)).toThrow("the image holds 191 bytes; 192 are needed");
    expect(() => run(192, 47)).toThrow("the target holds 47 bytes; 48 are needed");
  });
});
