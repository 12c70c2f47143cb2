/** @file Augmentation and normalisation against the same rule in float64, written down again here. */

import { execFileSync } from "node:child_process";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../src/core/random.ts";
import type { Dataset } from "../../src/data/types.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import {
  largestDifference,
  open,
  paint,
  png,
  storedPixels,
  temporaryFolder,
  writeTree,
} from "./fixtures.ts";

/** Images `indices` as the network would see them, plain (B, C, size, size). */
async function batch(
  dataset: Dataset,
  indices: readonly number[],
  augment?: { seed: number; epoch: number },
) {
  const length = dataset.channels * dataset.size ** 2;
  const images = new Float32Array(indices.length * length);
  const labels = new Int32Array(indices.length);
  await dataset.fill({
    images,
    labels,
    indices: Int32Array.from(indices),
    ...(augment && { augment }),
  });
  return Array.from(indices, (_, b) => images.slice(b * length, (b + 1) * length));
}

interface Drawn {
  flip: boolean;
  angle: number;
  width: number;
  height: number;
  left: number;
  top: number;
  brightness: number;
  contrast: number;
}

function draw(kind: "photos" | "digits", seed: number, epoch: number, image: number): Drawn {
  const stream = randomStream(seed, "augmentation", epoch, image);
  const u = Array.from({ length: 8 }, () => stream.uniform());
  const angle = ((2 * u[1]! - 1) * 15 * Math.PI) / 180;
  const neutral = {
    flip: false,
    angle,
    width: 1,
    height: 1,
    left: 0,
    top: 0,
    brightness: 1,
    contrast: 1,
  };
  if (kind === "digits") return neutral;
  const area = 0.7 + 0.3 * u[2]!;
  const [low, high] = [Math.max(3 / 4, area), Math.min(4 / 3, 1 / area)];
  const aspect = low * (high / low) ** u[3]!;
  const [width, height] = [Math.sqrt(area * aspect), Math.sqrt(area / aspect)];
  return {
    flip: u[0]! < 0.5,
    angle,
    width,
    height,
    left: (1 - width) * u[4]!,
    top: (1 - height) * u[5]!,
    brightness: 0.9 + 0.2 * u[6]!,
    contrast: 0.9 + 0.2 * u[7]!,
  };
}

const mirrored = (i: number, n: number) => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i);

/** What output (x, y) shows, by undoing flip, crop and turn one after the other. */
function sample(
  pixels: Uint8Array,
  dataset: Dataset,
  d: Drawn,
  x: number,
  y: number,
  c: number,
): number {
  const n = dataset.size;
  const u = d.flip ? n - (x + 0.5) : x + 0.5;
  const [px, py] = [d.left * n + u * d.width - n / 2, d.top * n + (y + 0.5) * d.height - n / 2];
  // Content turned counter-clockwise by the angle, y pointing down.
  const sx = Math.cos(d.angle) * px - Math.sin(d.angle) * py + n / 2 - 0.5;
  const sy = Math.sin(d.angle) * px + Math.cos(d.angle) * py + n / 2 - 0.5;
  const [ix, iy] = [Math.floor(sx), Math.floor(sy)];
  const at = (i: number, j: number) =>
    pixels[(mirrored(j, n) * n + mirrored(i, n)) * dataset.channels + c]!;
  const [fx, fy] = [sx - ix, sy - iy];
  const value =
    (1 - fy) * ((1 - fx) * at(ix, iy) + fx * at(ix + 1, iy)) +
    fy * ((1 - fx) * at(ix, iy + 1) + fx * at(ix + 1, iy + 1));
  const middle = 255 * dataset.mean[c]!;
  return Math.min(255, Math.max(0, d.brightness * (middle + d.contrast * (value - middle))));
}

async function expectedImage(dataset: Dataset, image: number, d: Drawn): Promise<Float64Array> {
  const n = dataset.size;
  const pixels = await storedPixels(dataset, image);
  return Float64Array.from({ length: dataset.channels * n * n }, (_, i) => {
    const c = Math.floor(i / (n * n));
    const value = sample(pixels, dataset, d, i % n, Math.floor(i / n) % n, c);
    return (value / 255 - dataset.mean[c]!) / dataset.std[c]!;
  });
}

/** Two classes of gray digits-like IDX images: one bright dot right of the centre, and noise. */
async function dots(size: number, count: number) {
  const images = Buffer.alloc(16 + count * size * size);
  [0x803, count, size, size].forEach((value, i) => {
    images.writeUInt32BE(value, 4 * i);
  });
  const labels = Buffer.alloc(8 + count);
  labels.writeUInt32BE(0x801, 0);
  labels.writeUInt32BE(count, 4);
  for (let i = 0; i < count; i++) {
    labels[8 + i] = i % 2;
    images.set(
      paint(
        size,
        size,
        1,
        (x, y) => 255 * Math.exp(-((x + 0.5 - 0.8 * size) ** 2 + (y + 0.5 - size / 2) ** 2) / 4),
      ),
      16 + i * size * size,
    );
  }
  return open(writeTree({ "train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels }));
}

describe("without augmentation", () => {
  test("a batch is the stored pixels, normalised, to the last bit", async () => {
    const dataset = await open("synthetic", { size: 24 });
    for (const image of [0, 17, 255]) {
      const pixels = await storedPixels(dataset, image);
      const expected = paint3(dataset, (x, y, c) => {
        const value = pixels[(y * 24 + x) * 3 + c]!;
        return (value / 255 - dataset.mean[c]!) / dataset.std[c]!;
      });
      expect((await batch(dataset, [image]))[0]).toEqual(Float32Array.from(expected));
    }
  });

  test("labels follow, and -1 marks what is left; images beyond stay untouched", async () => {
    const dataset = await open("synthetic", { size: 8 });
    const images = new Float32Array(5 * 192).fill(7);
    const labels = new Int32Array(5).fill(9);
    await dataset.fill({ images, labels, indices: Int32Array.of(2, 0, 5) });
    expect([...labels]).toEqual([dataset.labels[2], dataset.labels[0], dataset.labels[5], -1, -1]);
    expect(images.subarray(3 * 192).every((value) => value === 7)).toBe(true);
    expect(images.subarray(0, 3 * 192).some((value) => value === 7)).toBe(false);
  });

  test("mean and standard deviation are those of the training part", async () => {
    const dataset = await open("synthetic", { size: 16, limit: 10 });
    for (let c = 0; c < 3; c++) {
      const values: number[] = [];
      for (const image of dataset.train)
        values.push(...(await storedPixels(dataset, image)).filter((_, i) => i % 3 === c));
      const mean = values.reduce((a, b) => a + b / 255, 0) / values.length;
      const variance = values.reduce((a, b) => a + (b / 255 - mean) ** 2, 0) / values.length;
      expect(dataset.mean[c]).toBeCloseTo(mean, 12);
      expect(dataset.std[c]).toBeCloseTo(Math.sqrt(variance), 12);
    }
  });

  test("a channel that never changes is divided by 1", async () => {
    const flat = await png(
      paint(8, 8, 3, () => 40),
      8,
      8,
    );
    const folder = writeTree({
      "a/1.png": flat,
      "a/2.png": flat,
      "b/1.png": flat,
      "b/2.png": flat,
    });
    const dataset = await open(folder, { size: 8 });
    expect(dataset.std).toEqual([1, 1, 1]);
    expect(largestDifference((await batch(dataset, [0]))[0]!, new Float32Array(192))).toBeLessThan(
      1e-6,
    );
  });
});

function paint3(
  dataset: Dataset,
  value: (x: number, y: number, c: number) => number,
): Float64Array {
  const n = dataset.size;
  return Float64Array.from({ length: 3 * n * n }, (_, i) =>
    value(i % n, Math.floor(i / n) % n, Math.floor(i / n / n)),
  );
}

describe("photos", () => {
  test("warp and colour are those of the rule, with the draws of the stream", async () => {
    const dataset = await open("synthetic", { size: 33 });
    for (const [seed, epoch, image] of [
      [0, 1, 0],
      [0, 2, 0],
      [1, 1, 3],
      [123456, 40, 200],
      [7, 3, 31],
    ] as const) {
      const expected = await expectedImage(dataset, image, draw("photos", seed, epoch, image));
      const [found] = await batch(dataset, [image], { seed, epoch });
      expect(largestDifference(found!, expected)).toBeLessThan(2e-5);
    }
  });

  test("an image depends on seed, epoch and itself alone", async () => {
    const dataset = await open("synthetic", { size: 16 });
    const key = { seed: 3, epoch: 2 };
    const [first] = await batch(dataset, [10], key);
    const among = await batch(dataset, [1, 2, 10, 3], key);
    expect(among[2]).toEqual(first);
    expect((await batch(dataset, [10], { seed: 4, epoch: 2 }))[0]).not.toEqual(first);
    expect((await batch(dataset, [10], { seed: 3, epoch: 3 }))[0]).not.toEqual(first);
    const [a, b] = await Promise.all([batch(dataset, [10], key), batch(dataset, [11], key)]);
    expect(a[0]).toEqual(first);
    expect(b[0]).not.toEqual(first);
  });

  test("half of the images are flipped", async () => {
    const ramp = await png(
      paint(8, 8, 3, (x) => 30 * x),
      8,
      8,
    );
    const names = ["a/1.png", "a/2.png", "a/3.png", "a/4.png", "b/1.png", "b/2.png"];
    const dataset = await open(writeTree(Object.fromEntries(names.map((name) => [name, ramp]))), {
      size: 8,
    });
    let flipped = 0;
    for (let epoch = 0; epoch < 200; epoch++)
      for (const image of await batch(dataset, [0, 1, 2, 3, 4, 5], { seed: 0, epoch }))
        if (image[8 * 4]! > image[8 * 4 + 7]!) flipped++;
    // 1,200 throws: standard deviation 17.3.
    expect(Math.abs(flipped - 600)).toBeLessThan(4 * 17.4);
  });

  test("the PNG of an augmented image is what the network sees", async () => {
    const dataset = await open("synthetic", { size: 16 });
    const key = { seed: 1, epoch: 1 };
    const [seen] = await batch(dataset, [4], key);
    const { data } = await sharp(await dataset.png(4, key))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const levels = paint3(
      dataset,
      (x, y, c) => 255 * (seen![c * 256 + y * 16 + x]! * dataset.std[c]! + dataset.mean[c]!),
    );
    const shown = paint3(dataset, (x, y, c) => data[(y * 16 + x) * 3 + c]!);
    expect(largestDifference(shown, levels)).toBeLessThan(0.51);
  });

  test('augment: "none" leaves images alone', async () => {
    const dataset = await open("synthetic", { size: 16, augment: "none" });
    expect(dataset.augmentation).toBe("none");
    expect(await batch(dataset, [3], { seed: 0, epoch: 1 })).toEqual(await batch(dataset, [3]));
  });
});

describe("digits", () => {
  test("are turned and nothing else", async () => {
    const dataset = await dots(28, 8);
    expect([dataset.augmentation, dataset.channels, dataset.size]).toEqual(["digits", 1, 28]);
    for (const [epoch, image] of [
      [1, 0],
      [5, 3],
    ] as const) {
      const expected = await expectedImage(dataset, image, draw("digits", 9, epoch, image));
      const [found] = await batch(dataset, [image], { seed: 9, epoch });
      expect(largestDifference(found!, expected)).toBeLessThan(2e-5);
    }
  });

  test("a positive angle turns counter-clockwise: what lay right of the centre goes up", async () => {
    const dataset = await dots(28, 8);
    const centroid = (image: Float32Array) => {
      const dark = -dataset.mean[0]! / dataset.std[0]!;
      let [mass, x, y] = [0, 0, 0];
      image.forEach((value, i) => {
        mass += value - dark;
        x += (value - dark) * ((i % 28) + 0.5 - 14);
        y += (value - dark) * (Math.floor(i / 28) + 0.5 - 14);
      });
      return { x: x / mass, y: y / mass };
    };
    const radius = centroid((await batch(dataset, [0]))[0]!).x;
    for (let epoch = 1; epoch <= 10; epoch++) {
      const { angle } = draw("digits", 0, epoch, 0);
      const { x, y } = centroid((await batch(dataset, [0], { seed: 0, epoch }))[0]!);
      expect(x).toBeCloseTo(radius * Math.cos(angle), 1);
      expect(y).toBeCloseTo(-radius * Math.sin(angle), 1);
    }
  });
});

describe("warp", () => {
  const n = 12;
  const pixels = paint(n, n, 3, (x, y, c) => (37 * x + 101 * y + 59 * c + x * y) % 256);
  const warp = (matrix: number[]) =>
    loadAddon().warpImage(pixels, { size: n, channels: 3 }, matrix);
  const planes = (value: (x: number, y: number, c: number) => number) =>
    Float32Array.from({ length: 3 * n * n }, (_, i) =>
      value(i % n, Math.floor(i / n) % n, Math.floor(i / n / n)),
    );
  const at = (x: number, y: number, c: number) => pixels[(y * n + x) * 3 + c]!;

  test("the identity is exact", () => expect(warp([1, 0, 0, 0, 1, 0])).toEqual(planes(at)));
  test("whole shifts are exact, and mirror at the edges", () =>
    expect(warp([1, 0, -2, 0, 1, 3])).toEqual(
      planes((x, y, c) => at(mirrored(x - 2, n), mirrored(y + 3, n), c)),
    ));
  test("a flip is exact", () =>
    expect(warp([-1, 0, n, 0, 1, 0])).toEqual(planes((x, y, c) => at(n - 1 - x, y, c))));
  test("half a pixel is the mean of two", () =>
    expect(warp([1, 0, 0.5, 0, 1, 0])).toEqual(
      planes((x, y, c) => (at(x, y, c) + at(mirrored(x + 1, n), y, c)) / 2),
    ));
  test("far outside stays inside memory and range", () => {
    for (const matrix of [
      [1e9, 0, -1e12, 0, 1e9, 1e12],
      [0, 0, -500, 0, 0, 500],
    ])
      expect(warp(matrix).every((value) => value >= 0 && value <= 255)).toBe(true);
  });
});

describe("refusals", () => {
  test("buffers that are too small, images that do not exist", async () => {
    const dataset = await open("synthetic", { size: 8 });
    const fill = (images: number, labels: number, ...indices: number[]) =>
      dataset.fill({
        images: new Float32Array(images),
        labels: new Int32Array(labels),
        indices: Int32Array.from(indices),
      });
    await expect(fill(191, 1, 0)).rejects.toThrow(
      "a batch of [1, 3, 8, 8] does not fit 191 values and 1 labels",
    );
    await expect(fill(192, 0, 0)).rejects.toThrow("does not fit");
    await expect(fill(192, 1, 256)).rejects.toThrow("there is no image 256; there are 256");
    await expect(fill(192, 1, -1)).rejects.toThrow("there is no image -1");
    await expect(dataset.png(999)).rejects.toThrow("there is no image 999");
  });

  test("a closed data set", async () => {
    const dataset = await open("synthetic", { size: 8 });
    dataset.close();
    dataset.close();
    await expect(batch(dataset, [0])).rejects.toThrow("the data set is closed");
    await expect(dataset.png(0)).rejects.toThrow("the data set is closed");
  });

  test("closing while batches wait settles every one of them", async () => {
    const dataset = await open("synthetic", { size: 64 });
    const waiting = Array.from({ length: 20 }, (_, epoch) =>
      batch(dataset, [0, 1, 2, 3], { seed: 0, epoch }),
    );
    dataset.close();
    const outcomes = await Promise.allSettled(waiting);
    for (const outcome of outcomes)
      if (outcome.status === "rejected")
        expect(outcome.reason.message).toBe("synthetic: the data set was closed");
  });
});

describe("a process that never closes its data set", () => {
  const run = (end: string) =>
    execFileSync(process.execPath, [child, temporaryFolder(), end], {
      encoding: "utf8",
      timeout: 60_000,
    });
  const child = new URL("loader-child.mjs", import.meta.url).pathname;

  test("stays until its batches are there, then ends by itself", () =>
    expect(run("wait")).toBe("filled 20\n"));
  test("may leave in the middle of a batch", () => expect(run("leave")).toBe("leaving\n"));
});
