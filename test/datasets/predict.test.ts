/** @file Decoding for prediction gives the pixels that training saw. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { fillPredictions } from "../../src/data/normalise.ts";
import { decodeForPrediction } from "../../src/datasets/predict.ts";
import {
  asymmetric,
  jpeg,
  largestDifference,
  open,
  paint,
  png,
  storedPixels,
  writeTree,
} from "./fixtures.ts";

async function pets() {
  return writeTree({
    "a/1.jpg": await jpeg(asymmetric(50, 40), 50, 40),
    "a/2.png": await png(asymmetric(20, 31), 20, 31),
    "b/1.png": await png(
      paint(9, 9, 3, (x) => 20 * x),
      9,
      9,
    ),
    "b/2.png": await png(
      paint(9, 9, 3, (_x, y) => 20 * y),
      9,
      9,
    ),
    "b/cut.jpg": (await jpeg(asymmetric(50, 40), 50, 40)).subarray(0, 900),
  });
}

test("files in their order, broken ones with a reason", async () => {
  const root = await pets();
  const dataset = await open(root, { size: 16 });
  const files = ["b/2.png", "b/cut.jpg", "a/1.jpg", "missing.jpg"].map((name) => join(root, name));
  const decoded = await decodeForPrediction(files, dataset.preprocessing);
  expect(decoded.map(({ file }) => file)).toEqual(files);
  expect(decoded[0]!.pixels).toEqual(await storedPixels(dataset, 3));
  expect(decoded[2]!.pixels).toEqual(await storedPixels(dataset, 0));
  expect(decoded[1]!.pixels).toBeNull();
  expect(decoded[1]!.reason).toContain("cut short");
  expect(decoded[3]!.reason).toContain("cannot be read: No such file");
});

test("normalised, they are a batch", async () => {
  const root = await pets();
  const dataset = await open(root, { size: 16 });
  const { mean, std, size, channels } = dataset;
  const files = ["a/1.jpg", "b/1.png"].map((name) => join(root, name));
  const pixels = (await decodeForPrediction(files, dataset.preprocessing)).map(
    ({ pixels }) => pixels!,
  );
  const images = new Float32Array(2 * 3 * 16 * 16);
  fillPredictions({ images, pixels, size, channels, mean, std });
  const batch = new Float32Array(images.length);
  await dataset.fill({ images: batch, labels: new Int32Array(2), indices: Int32Array.of(0, 2) });
  expect(images).toEqual(batch);
});

test("for a network of one channel, colour becomes luma", async () => {
  const root = await pets();
  const preprocessing = { size: 9, channels: 1, resize: "cover", filter: "triangle" };
  const [gray] = await decodeForPrediction([join(root, "b/1.png")], preprocessing);
  expect(
    largestDifference(
      gray!.pixels!,
      paint(9, 9, 1, (x) => 20 * x),
    ),
  ).toBeLessThanOrEqual(1);
});

test("preprocessing of another kind is refused", async () => {
  await expect(decodeForPrediction([], { size: 8, channels: 2 })).rejects.toThrow(
    "1 or 3 channels are known",
  );
  await expect(
    decodeForPrediction([], { size: 8, channels: 3, resize: "stretch" }),
  ).rejects.toThrow("got stretch");
  await expect(decodeForPrediction([], { channels: 3 })).rejects.toThrow(
    "size must be a positive integer",
  );
});
