import { describe, expect, test } from "vitest";
import { ArgumentError, DataError } from "../core/errors.ts";
import { type ArrayDatasetOptions, arrayDataset } from "./array-dataset.ts";
import { syntheticImages } from "./synthetic.ts";

const synthetic = syntheticImages({ count: 40, size: 6 });

describe("images", () => {
  test("are split by class and described", async () => {
    const dataset = await arrayDataset({ ...synthetic, name: "shapes", test: 0.2 });
    expect([dataset.channels, dataset.size, dataset.labels.length]).toEqual([3, 6, 40]);
    expect([dataset.train.length, dataset.validation.length, dataset.test.length]).toEqual([
      24, 8, 8,
    ]);
    expect(dataset.record).toMatchObject({ name: "shapes", images: 40, broken: [] });
    expect(dataset.record.classes[0]).toEqual({
      name: "disc",
      count: 10,
      train: 6,
      validation: 2,
      test: 2,
    });
  });

  test("the fingerprint is that of contents, labels and classes", async () => {
    const of = async (options: Partial<ArrayDatasetOptions>) =>
      (await arrayDataset({ ...synthetic, ...options })).record.fingerprint;
    const changed = synthetic.images.slice();
    changed[17]! ^= 1;
    const moved = synthetic.labels.slice();
    moved[0] = 1;
    const found = [
      await of({}),
      await of({ images: changed }),
      await of({ labels: moved }),
      await of({ classes: ["a", "b", "c", "d"] }),
    ];
    expect(new Set(found).size).toBe(4);
    expect(found[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await of({ name: "other", splitSeed: 3 })).toBe(found[0]);
  });

  test("a normalisation that is given is taken", async () => {
    const normalization = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
    const dataset = await arrayDataset({ ...synthetic, normalization });
    const images = new Float32Array(108);
    await dataset.fill({ images, labels: new Int32Array(1), indices: Int32Array.of(2) });
    expect(images[0]).toBe(Math.fround((synthetic.images[216]! / 255 - 0.5) / 0.25));
  });

  test("once closed, nothing is read", async () => {
    const dataset = await arrayDataset(synthetic);
    dataset.close();
    await expect(dataset.png(0)).rejects.toThrow("the data set is closed");
  });
});

describe("a table", () => {
  const rows = Float32Array.from({ length: 20 * 3 }, (_, i) =>
    i % 3 === 2 ? 5 : Math.sin(i) * (1 + (i % 3)),
  );
  const labels = Array.from({ length: 20 }, (_, i) => i % 2);
  const table = { images: rows, labels, classes: ["no", "yes"] };

  test("its columns are channels of one pixel, normalised over the training part", async () => {
    const dataset = await arrayDataset(table);
    expect([dataset.channels, dataset.size]).toEqual([3, 1]);
    const images = new Float32Array(dataset.train.length * 3);
    const into = new Int32Array(dataset.train.length);
    await dataset.fill({
      images,
      labels: into,
      indices: dataset.train,
      augment: { seed: 0, epoch: 1 },
    });
    for (const column of [0, 1, 2]) {
      const values = images.filter((_, i) => i % 3 === column);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
      expect(mean).toBeCloseTo(0, 6);
      expect(variance).toBeCloseTo(column === 2 ? 0 : 1, 5);
    }
    expect([...into]).toEqual(Array.from(dataset.train, (row) => labels[row]));
  });

  test("has no pictures", async () => {
    const dataset = await arrayDataset(table);
    await expect(dataset.png(0)).rejects.toThrow("the rows of a table are no pictures");
  });

  test("holds finite numbers", async () => {
    const images = rows.slice();
    images[7] = Number.NaN;
    await expect(arrayDataset({ ...table, images })).rejects.toThrow(
      "arrays: a table must hold finite numbers; got NaN in row 2, column 1",
    );
  });
});

describe("refusals", () => {
  test.each<[string, Partial<ArrayDatasetOptions>, string]>([
    ["a label without class", { labels: [0, 1, 2, 4] }, "got 4 for item 3"],
    ["a label between", { labels: [0.5] }, "labels must be integers from 0 to 3"],
    ["no square", { labels: [0, 1, 2] }, "3 images of 3 channels must be squares"],
    ["no labels", { labels: [] }, "count of labels must be a positive integer"],
    ["one class", { classes: ["a"], labels: synthetic.labels.map(() => 0) }, "two or more"],
    ["equal names", { classes: ["a", "a", "b", "c"] }, "two or more different names"],
    ["a fraction", { validation: 1 }, "validation must be a fraction"],
    [
      "a plain list",
      { images: [1, 2, 3] as unknown as Uint8Array },
      "images must be a Uint8Array; got an array",
    ],
    [
      "a normalisation of another image",
      { normalization: { mean: [0.5], std: [1] } },
      "3 means and deviations",
    ],
  ])("%s", async (_, options, message) => {
    const opened = arrayDataset({ ...synthetic, ...options });
    await expect(opened).rejects.toThrow(ArgumentError);
    await expect(opened).rejects.toThrow(message);
  });

  test("a class that is too small", async () => {
    const labels = synthetic.labels.map((label) => (label === 3 ? 0 : label));
    labels[3] = 3;
    const opened = arrayDataset({ ...synthetic, labels });
    await expect(opened).rejects.toThrow(DataError);
    await expect(opened).rejects.toThrow('class "bars" has 1 usable image');
  });

  test("a batch that does not fit", async () => {
    const dataset = await arrayDataset(synthetic);
    const fill = dataset.fill({
      images: new Float32Array(107),
      labels: new Int32Array(1),
      indices: Int32Array.of(0),
    });
    await expect(fill).rejects.toThrow("a batch of [1, 3, 6, 6] does not fit 107 values");
  });
});
