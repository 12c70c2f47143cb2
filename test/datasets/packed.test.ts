/** @file IDX and CIFAR files, MNIST from its package, and the synthetic source. */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { openSource } from "../../src/datasets/sources/open-source.ts";
import {
  largestDifference,
  open,
  paint,
  storedPixels,
  temporaryFolder,
  writeTree,
} from "./fixtures.ts";

/** IDX bytes: 0x08 for u8, number of dimensions, extents, data. */
function idx(extents: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * extents.length);
  header.writeUInt32BE(0x800 + extents.length, 0);
  extents.forEach((extent, i) => {
    header.writeUInt32BE(extent, 4 + 4 * i);
  });
  return Buffer.concat([header, data]);
}

/** Image i is filled with the value 10 * i, but for a mark in its first row. */
const grays = (count: number, size: number) =>
  Uint8Array.from({ length: count * size * size }, (_, i) => {
    const image = Math.floor(i / (size * size));
    return i % (size * size) === image ? 255 : 10 * image;
  });

const letters = {
  "train-images-idx3-ubyte": idx([6, 4, 4], grays(6, 4)),
  "train-labels-idx1-ubyte": idx([6], Uint8Array.of(0, 1, 2, 0, 1, 2)),
  "t10k-images-idx3-ubyte": idx([3, 4, 4], grays(3, 4)),
  "t10k-labels-idx1-ubyte": idx([3], Uint8Array.of(2, 1, 0)),
};

async function refusal(files: Record<string, Uint8Array>): Promise<string> {
  const error = await open(writeTree(files)).then(
    () => expect.unreachable("it was accepted"),
    (error) => error,
  );
  expect(error).toBeInstanceOf(DataError);
  expect(error.exitCode).toBe(2);
  return error.message;
}

describe("IDX", () => {
  test("the test part validates, and pixels are kept", async () => {
    const dataset = await open(writeTree(letters));
    expect(dataset).toMatchObject({
      channels: 1,
      size: 4,
      augmentation: "digits",
      classes: ["0", "1", "2"],
    });
    expect([...dataset.train]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...dataset.validation]).toEqual([6, 7, 8]);
    expect([...dataset.labels]).toEqual([0, 1, 2, 0, 1, 2, 2, 1, 0]);
    expect(await storedPixels(dataset, 5)).toEqual(grays(6, 4).slice(5 * 16));
    expect(await storedPixels(dataset, 7)).toEqual(grays(3, 4).slice(16, 32));
  });

  test("gzipped files are the same set", async () => {
    const zipped = Object.fromEntries(
      Object.entries(letters).map(([name, data]) => [`${name}.gz`, gzipSync(data)]),
    );
    const [plain, packed] = [await open(writeTree(letters)), await open(writeTree(zipped))];
    expect(packed.record.fingerprint).toBe(plain.record.fingerprint);
  });

  test("another size is resampled", async () => {
    const dataset = await open(writeTree(letters), { size: 8 });
    const pixels = await storedPixels(dataset, 3);
    expect(pixels.length).toBe(64);
    expect([...pixels.slice(-8)]).toEqual(Array(8).fill(30));
  });

  test("without a test part, the split is drawn", async () => {
    const { "t10k-images-idx3-ubyte": _i, "t10k-labels-idx1-ubyte": _l, ...train } = letters;
    const { record } = await open(writeTree(train));
    expect(record.classes.map(({ train, validation }) => [train, validation])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  test.each([
    [
      "labels missing",
      { "train-labels-idx1-ubyte": undefined },
      "train-images-idx3-ubyte has no labels beside it",
    ],
    [
      "another magic number",
      { "train-images-idx3-ubyte": idx([96], grays(6, 4)) },
      "begins with 0x801, not with 0x803",
    ],
    [
      "cut short",
      { "train-images-idx3-ubyte": letters["train-images-idx3-ubyte"].subarray(0, 100) },
      "should hold 96 bytes (6 x 4 x 4) but holds 84",
    ],
    [
      "no header",
      { "t10k-labels-idx1-ubyte": Buffer.from("hi") },
      "has 2 bytes, fewer than its header",
    ],
    [
      "counts that differ",
      { "t10k-labels-idx1-ubyte": idx([2], Uint8Array.of(1, 1)) },
      "has 3 images but t10k-labels-idx1-ubyte has 2 labels",
    ],
    [
      "one class",
      {
        "train-labels-idx1-ubyte": idx([6], new Uint8Array(6)),
        "t10k-labels-idx1-ubyte": idx([3], new Uint8Array(3)),
      },
      "at least two classes",
    ],
    [
      "a class that is never seen",
      {
        "train-labels-idx1-ubyte": idx([6], Uint8Array.of(0, 1, 3, 0, 1, 3)),
        "t10k-labels-idx1-ubyte": idx([3], Uint8Array.of(0, 1, 3)),
      },
      'class "2" has 0 usable images',
    ],
  ])("refused: %s", async (_what, change, message) => {
    const files = Object.entries({ ...letters, ...change }).filter(
      (file): file is [string, Buffer] => file[1] !== undefined,
    );
    expect(await refusal(Object.fromEntries(files))).toContain(message);
  });

  test("refused at once: a FIFO, a folder, a link to nothing as one of the files", async () => {
    for (const [make, why] of [
      [(path: string) => execFileSync("mkfifo", [path]), "cannot be read (it is no file)"],
      [(path: string) => mkdirSync(path), "cannot be read (it is no file)"],
      [(path: string) => symlinkSync(`${path}.absent`, path), "leads to no file"],
    ] as const) {
      const root = writeTree(letters);
      const file = "train-images-idx3-ubyte";
      rmSync(join(root, file));
      make(join(root, file));
      const error = await open(root).catch((error) => error);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toContain(`${file} ${why}`);
    }
  });

  test("refused: more bytes than the header says, before they are all unpacked", async () => {
    const images = Buffer.concat([idx([6, 4, 4], grays(6, 4)), Buffer.alloc(1 << 28)]);
    const packed = { "train-images-idx3-ubyte.gz": gzipSync(images) };
    const { "train-images-idx3-ubyte": _, ...others } = letters;
    expect(await refusal({ ...others, ...packed })).toContain(
      "train-images-idx3-ubyte.gz should hold 96 bytes (6 x 4 x 4) but holds more",
    );
  });

  test("refused: gzip that is none", async () => {
    const { "train-images-idx3-ubyte": _, ...rest } = letters;
    expect(
      await refusal({ ...rest, "train-images-idx3-ubyte.gz": Buffer.from("no gzip") }),
    ).toContain("cannot be unpacked");
  });
});

describe("CIFAR-10", () => {
  /** A record: the label, then planes of red, green, blue. */
  const record = (label: number, value: (x: number, y: number, c: number) => number) =>
    Buffer.concat([
      Buffer.of(label),
      ...[0, 1, 2].map((c) => paint(32, 32, 1, (x, y) => value(x, y, c))),
    ]);
  const colours = (shift: number) => (x: number, y: number, c: number) =>
    (7 * x + 3 * y + 80 * c + shift) % 256;
  const files = {
    "batches.meta.txt": Buffer.from("ship\ncat\n\n"),
    "data_batch_1.bin": Buffer.concat([record(0, colours(0)), record(1, colours(1))]),
    "data_batch_2.bin": Buffer.concat([record(0, colours(2)), record(1, colours(3))]),
    "test_batch.bin": Buffer.concat([record(1, colours(4)), record(0, colours(5))]),
  };

  test("planes become pixels, batches follow each other, the test batch validates", async () => {
    const dataset = await open(writeTree(files));
    expect(dataset).toMatchObject({
      channels: 3,
      size: 32,
      augmentation: "photos",
      classes: ["ship", "cat"],
    });
    expect([...dataset.train, -1, ...dataset.validation]).toEqual([0, 1, 2, 3, -1, 4, 5]);
    expect([...dataset.labels]).toEqual([0, 1, 0, 1, 1, 0]);
    for (let i = 0; i < 6; i++)
      expect(await storedPixels(dataset, i)).toEqual(paint(32, 32, 3, colours(i)));
  });

  test("the folder above is understood too", async () => {
    const nested = Object.fromEntries(
      Object.entries(files).map(([name, data]) => [`cifar-10-batches-bin/${name}`, data]),
    );
    expect((await open(writeTree(nested))).record.images).toBe(6);
  });

  test("refused: records that are not whole, labels without a class", async () => {
    expect(
      await refusal({ ...files, "data_batch_2.bin": files["data_batch_2.bin"].subarray(1) }),
    ).toContain("data_batch_2.bin has 6145 bytes, which is no multiple of 3073");
    expect(await refusal({ ...files, "data_batch_2.bin": record(7, colours(0)) })).toContain(
      "label 7 is not among its 2 classes",
    );
  });
});

describe("sources by name", () => {
  test("mnist comes with its package: 60,000 and 10,000 digits", async () => {
    const source = await openSource("mnist", { cacheDir: temporaryFolder() });
    expect(source.name).toBe("mnist");
    expect(source.labels.length).toBe(70_000);
    expect(source.parts!.filter((part) => part === 0).length).toBe(60_000);
    // The first labels, as everyone knows them.
    expect([...source.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...source.labels.subarray(60_000, 60_005)]).toEqual([7, 2, 1, 0, 4]);
  });

  test("a limited mnist keeps the proportion of its parts", async () => {
    const { record, train, validation } = await open("mnist", { limit: 70 });
    expect(record.classes.map(({ count }) => count)).toEqual(Array(10).fill(70));
    expect(train.length).toBeGreaterThan(590);
    expect(train.length + validation.length).toBe(700);
    // Mean of all MNIST pixels is 0.1307, standard deviation 0.3081.
    expect(record.mean[0]).toBeCloseTo(0.13, 1);
    expect(record.std[0]).toBeCloseTo(0.31, 1);
  });

  test("synthetic: four balanced classes, any size, always the same", async () => {
    const dataset = await open("synthetic");
    expect(dataset).toMatchObject({
      size: 32,
      channels: 3,
      augmentation: "photos",
      classes: ["disc", "square", "ring", "bars"],
    });
    expect(dataset.record.classes.map(({ count }) => count)).toEqual([64, 64, 64, 64]);
    const again = await open("synthetic");
    expect(again.record).toEqual(dataset.record);
    expect(await storedPixels(again, 100)).toEqual(await storedPixels(dataset, 100));
    expect(
      largestDifference(await storedPixels(dataset, 0), await storedPixels(dataset, 4)),
    ).toBeGreaterThan(20);
    expect((await open("synthetic", { size: 11 })).size).toBe(11);
  });

  test("synthetic classes can be told apart by their colour", async () => {
    const dataset = await open("synthetic");
    const hue = async (label: number) => {
      const sums = [0, 0, 0];
      for (let i = label; i < 64; i += 4)
        (await storedPixels(dataset, i)).forEach((value, j) => {
          sums[j % 3]! += value;
        });
      return sums.indexOf(Math.max(...sums));
    };
    expect([await hue(0), await hue(1), await hue(2)]).toEqual([0, 1, 2]);
  });

  test("a folder of a source's name is meant by ./name alone", async () => {
    const folder = writeTree({ "mnist/a/1.png": "", "mnist/b/1.png": "" });
    const source = await openSource(join(folder, "mnist"), { cacheDir: folder });
    expect(source.classes).toEqual(["a", "b"]);
  });
});
