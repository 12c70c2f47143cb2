/**
 * @file The TypeScript twins of the addon's loops over images, against the addon: equal to the bit, but where
 * a sine, logarithm or exponential comes from another library.
 */

import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { arrayDataset } from "../../src/data/array-dataset.ts";
import { type AffineMap, Warper } from "../../src/data/augment.ts";
import { fillPredictions } from "../../src/data/normalise.ts";
import { pixelStatistics } from "../../src/data/statistics.ts";
import { syntheticImages } from "../../src/data/synthetic.ts";
import type { AugmentationName, Dataset } from "../../src/data/types.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import { largestDifference, open, storedPixels } from "./fixtures.ts";

const noise = (length: number, seed = 1) =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);

/** What a batch of the data set holds. */
async function batch(
  dataset: Dataset,
  indices: Int32Array,
  augment?: { seed: number; epoch: number },
) {
  const images = new Float32Array(indices.length * dataset.channels * dataset.size ** 2);
  const labels = new Int32Array(indices.length + 2);
  await dataset.fill({ images, labels, indices, ...(augment ? { augment } : {}) });
  return { images, labels };
}

/** A data set as the addon has it, and the same of its images in memory. */
async function both(source: string, size: number): Promise<[Dataset, Dataset]> {
  const native = await open(source, { size });
  const { labels, classes, channels, augmentation } = native;
  const length = channels * size * size;
  const images = new Uint8Array(labels.length * length);
  for (const image of labels.keys()) images.set(await storedPixels(native, image), image * length);
  const twin = await arrayDataset({
    images,
    labels,
    classes,
    channels: channels as 1 | 3,
    augmentation,
  });
  return [native, twin];
}

test("synthetic images, byte for byte", () => {
  const addon = loadAddon();
  for (const size of [1, 7, 32]) {
    const { images, labels } = syntheticImages({ count: 24, size });
    const expected = new Uint8Array(images.length);
    addon.synthesiseImages(expected, labels, { size, first: 0, seed: 0 });
    expect(Buffer.compare(images, expected)).toBe(0);
  }
});

test("split, mean and deviation of a data set in memory are those of openImages", async () => {
  const [native, twin] = await both("synthetic", 12);
  expect(twin.train).toEqual(native.train);
  expect(twin.validation).toEqual(native.validation);
  expect(twin.record.classes).toEqual(native.record.classes);
  expect([twin.mean, twin.std]).toEqual([native.mean, native.std]);
});

test("statistics of a channel that never changes", () => {
  const images = Uint8Array.from({ length: 24 }, (_, i) => (i % 3 === 1 ? 40 : i));
  const { std } = pixelStatistics(images, Int32Array.of(0, 1), { length: 12, channels: 3 });
  expect(std[1]).toBe(1);
  expect(std[0]).toBeGreaterThan(0);
});

test("normalisation, to the bit", () => {
  const addon = loadAddon();
  for (const channels of [1, 3] as const) {
    const [size, count] = [9, 3];
    const length = size * size * channels;
    const mean = [0.485, 0.456, 0.406].slice(0, channels);
    const std = [0.229, 0.224, 0.225].slice(0, channels);
    const pixels = Array.from({ length: count }, (_, i) => noise(length, i));
    const [found, expected] = [new Float32Array(count * length), new Float32Array(count * length)];
    fillPredictions({ images: found, pixels, size, channels, mean, std });
    for (const [first, image] of pixels.entries())
      addon.normaliseImages(image, expected, { size, channels, first, mean, std });
    expect(found).toEqual(expected);
  }
});

test("the warp by any affine map, to the bit", () => {
  const addon = loadAddon();
  const number = fc.double({ min: -3, max: 3, noNaN: true });
  const shift = fc.double({ min: -40, max: 40, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 11 }),
      fc.constantFrom(1, 3),
      fc.tuple(number, number, shift, number, number, shift),
      (size, channels, map) => {
        const pixels = noise(size * size * channels);
        const warper = new Warper(size, channels);
        const found = new Float32Array(pixels.length);
        for (let y = 0; y < size; y++) {
          const planes = warper.row(pixels, map as AffineMap, y);
          for (let c = 0; c < channels; c++)
            found.set(planes.subarray(c * size, (c + 1) * size), (c * size + y) * size);
        }
        expect(found).toEqual(addon.warpImage(pixels, { size, channels }, map));
      },
    ),
    { numRuns: 200 },
  );
});

describe("batches of a data set in memory are those of the loader", () => {
  const keys = [
    { seed: 0, epoch: 1 },
    { seed: 7, epoch: 3 },
    { seed: 123456, epoch: 40 },
    { seed: 2 ** 32 - 1, epoch: 2 },
  ];

  test("without augmentation, to the bit, and -1 where no image is", async () => {
    const [native, twin] = await both("synthetic", 9);
    const indices = native.validation.slice(0, 20);
    const found = await batch(twin, indices);
    expect(found).toEqual(await batch(native, indices));
    expect([...found.labels.slice(-2)]).toEqual([-1, -1]);
  });

  test("photos, augmented: within 1e-6, most of them to the bit", async () => {
    const [native, twin] = await both("synthetic", 21);
    let equal = 0;
    let all = 0;
    for (const key of keys) {
      const indices = native.train.slice(0, 16);
      const [found, expected] = [
        await batch(twin, indices, key),
        await batch(native, indices, key),
      ];
      expect(found.labels).toEqual(expected.labels);
      expect(largestDifference(found.images, expected.images)).toBeLessThan(1e-6);
      equal += found.images.filter((value, i) => value === expected.images[i]).length;
      all += found.images.length;
    }
    expect(equal / all).toBeGreaterThan(0.99);
  });

  test.each(["digits", "photos"] satisfies AugmentationName[])(
    "one channel, %s, as 8-bit pictures",
    async (augmentation) => {
      const [size, count] = [14, 8];
      const images = noise(size * size * count);
      const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
      const twin = await arrayDataset({
        images,
        labels,
        classes: ["even", "odd"],
        channels: 1,
        augmentation,
      });
      const shown = await sharp(await twin.png(3, keys[1]))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([shown.info.width, shown.info.height]).toEqual([size, size]);
      const { images: seen } = await batch(twin, Int32Array.of(3), keys[1]);
      const levels = seen.map((value) => 255 * (value * twin.std[0]! + twin.mean[0]!));
      const first = shown.data.filter((_, i) => i % shown.info.channels === 0);
      expect(largestDifference(first, levels)).toBeLessThan(0.51);
      const plain = await sharp(await twin.png(3))
        .raw()
        .toBuffer({ resolveWithObject: true });
      const stored = plain.data.filter((_, i) => i % plain.info.channels === 0);
      expect(largestDifference(stored, images.subarray(3 * size * size, 4 * size * size))).toBe(0);
    },
  );

  test("a picture of an augmented photo, as sharp would write it", async () => {
    const [native, twin] = await both("synthetic", 16);
    const pixelsOf = async (png: Uint8Array) => [...(await sharp(png).raw().toBuffer())];
    expect(await pixelsOf(await twin.png(4))).toEqual(await pixelsOf(await native.png(4)));
    const difference = largestDifference(
      await pixelsOf(await twin.png(4, keys[0])),
      await pixelsOf(await native.png(4, keys[0])),
    );
    expect(difference).toBeLessThanOrEqual(1);
  });
});
