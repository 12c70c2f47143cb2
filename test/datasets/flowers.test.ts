/** @file The photos of the published experiment, where they are at hand. */

import { expect, test } from "vitest";
import { epochOrder } from "../../src/data/order.ts";
import { flowers, flowersAbsent, open } from "./fixtures.ts";

test.skipIf(flowersAbsent !== "")(
  `4,317 photos of five kinds ${flowersAbsent && `(skipped: ${flowersAbsent})`}`,
  async () => {
    const dataset = await open(flowers);
    expect(dataset.classes).toEqual(["daisy", "dandelion", "rose", "sunflower", "tulip"]);
    expect(dataset.record.classes.map(({ count }) => count)).toEqual([764, 1052, 784, 733, 984]);
    expect(dataset.record).toMatchObject({
      name: "flowers-128",
      images: 4317,
      size: 128,
      channels: 3,
      broken: [],
    });
    expect([dataset.train.length, dataset.validation.length]).toEqual([3453, 864]);
    const batches = Math.ceil(epochOrder(dataset, 0, 1).length / 64);
    expect(batches).toBe(54);
    // The last, smaller batch of the epoch.
    const indices = epochOrder(dataset, 0, 1).subarray(53 * 64);
    const images = new Float32Array(64 * 3 * 128 * 128);
    const labels = new Int32Array(64);
    await dataset.fill({ images, labels, indices, augment: { seed: 0, epoch: 1 } });
    expect(labels.filter((label) => label >= 0).length).toBe(3453 - 53 * 64);
    expect(images.every(Number.isFinite)).toBe(true);
  },
);
