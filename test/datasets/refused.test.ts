/** @file What is broken is left out and listed; what cannot work is refused, by name, with exit code 2. */

import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DataError, type LrscopeError } from "../../src/core/errors.ts";
import {
  asymmetric,
  jpeg,
  open,
  plain,
  png,
  rawImage,
  temporaryFolder,
  writeTree,
} from "./fixtures.ts";

/** The same JPEG, claiming another size. */
function claimJpegSize(file: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(file);
  const frame = copy.indexOf(Buffer.from([0xff, 0xc0]));
  copy.writeUInt16BE(height, frame + 5);
  copy.writeUInt16BE(width, frame + 7);
  return copy;
}

function claimPngSize(file: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt32BE(width, 16);
  copy.writeUInt32BE(height, 20);
  copy.writeUInt32BE(crc32(copy.subarray(12, 29)), 29);
  return copy;
}

/** Red, green, blue and two more, as cameras for fields have them. */
function fiveChannels(): Promise<Buffer> {
  const band = { raw: { width: 8, height: 8, channels: 1 } } as const;
  const more = [Buffer.alloc(64, 90), Buffer.alloc(64, 120)];
  return rawImage(asymmetric(8, 8), 8, 8)
    .joinChannel(more, band)
    .tiff({ compression: "lzw" })
    .toBuffer();
}

/** The same TIFF of four channels, claiming that they are gray (PhotometricInterpretation, tag 262: 1). */
function grayOfFour(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  const directory = copy.readUInt32LE(4);
  for (let i = 0; i < copy.readUInt16LE(directory); i++) {
    const entry = directory + 2 + 12 * i;
    if (copy.readUInt16LE(entry) === 262) copy.writeUInt16LE(1, entry + 8);
  }
  return copy;
}

describe("broken files are listed by name, and the rest goes on", () => {
  test("a picture with channels that no photo has", async () => {
    const good = await plain(100);
    const folder = writeTree({
      "a/1.png": good,
      "a/2.png": good,
      "a/five.tiff": await fiveChannels(),
      "a/gray.tiff": grayOfFour(
        await rawImage(new Uint8Array(256), 8, 8, 4).tiff({ compression: "lzw" }).toBuffer(),
      ),
      "b/1.png": good,
      "b/2.png": good,
    });
    const { broken } = (await open(folder, { size: 8 })).record;
    expect(broken).toEqual([
      { file: "a/five.tiff", reason: expect.stringContaining("has 5 channels") },
      { file: "a/gray.tiff", reason: expect.stringContaining("has 4 channels") },
    ]);
  });

  test("every kind of them", async () => {
    const photo = await jpeg(asymmetric(64, 64), 64, 64);
    const drawing = await png(asymmetric(64, 64), 64, 64);
    const good = await plain(100);
    const folder = writeTree({
      "a/cut.jpg": photo.subarray(0, photo.length >> 1),
      "a/cut.png": drawing.subarray(0, drawing.length >> 1),
      "a/cut-header.jpg": photo.subarray(0, 30),
      "a/empty.jpg": "",
      "a/good 1.png": good,
      "a/good 2.png": good,
      "a/text.jpg": "This is no photo.\n",
      "b/good 1.png": good,
      "b/good 2.png": good,
      "b/huge.jpg": claimJpegSize(photo, 12000, 9000),
      "b/huge.png": claimPngSize(drawing, 12000, 9000),
      "b/drawing.jpg":
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    });
    symlinkSync("nowhere.jpg", join(folder, "b", "dangling.jpg"));
    const dataset = await open(folder, { size: 8 });
    const reasons = Object.fromEntries(
      dataset.record.broken.map(({ file, reason }) => [file, reason]),
    );
    expect(Object.keys(reasons).sort()).toEqual([
      "a/cut-header.jpg",
      "a/cut.jpg",
      "a/cut.png",
      "a/empty.jpg",
      "a/text.jpg",
      "b/dangling.jpg",
      "b/drawing.jpg",
      "b/huge.jpg",
      "b/huge.png",
    ]);
    expect(reasons["a/cut.jpg"]).toMatch(/cut short/);
    expect(reasons["a/cut.png"]).toMatch(/cut short|cannot be decoded/);
    expect(reasons["a/empty.jpg"]).toBe("empty file (0 bytes)");
    expect(reasons["a/text.jpg"]).toBe(
      "not an image in a format that is read (JPEG, PNG, WebP, GIF, TIFF, AVIF)",
    );
    expect(reasons["b/dangling.jpg"]).toMatch(/cannot be read: No such file/);
    expect(reasons["b/drawing.jpg"]).toBe("svg is not a format of photos");
    for (const huge of ["b/huge.jpg", "b/huge.png"])
      expect(reasons[huge]).toBe("12000 x 9000 is 108 megapixels; the limit is 100");
    for (const reason of Object.values(reasons)) expect(reason).not.toContain(folder);
    expect(dataset.record.images).toBe(4);
    expect(dataset.record.classes.map(({ count }) => count)).toEqual([2, 2]);
  });

  test("cut at any place, a JPEG is broken", async () => {
    const photo = await jpeg(asymmetric(64, 64), 64, 64);
    const good = await plain(100);
    const cuts = [2, 10, 100, photo.length >> 2, photo.length - 300, photo.length - 20];
    const folder = writeTree({
      "a/1.png": good,
      "a/2.png": good,
      "b/1.png": good,
      "b/2.png": good,
      ...Object.fromEntries(cuts.map((cut) => [`b/cut-${cut}.jpg`, photo.subarray(0, cut)])),
    });
    const { record } = await open(folder, { size: 8 });
    expect(record.broken.map(({ file }) => file).sort()).toEqual(
      cuts.map((cut) => `b/cut-${cut}.jpg`).sort(),
    );
  });
});

describe("refused with exit code 2", () => {
  const refusal = async (source: string, options = {}): Promise<string> => {
    const error = await open(source, options).then(
      () => expect.unreachable("the source was accepted"),
      (error: LrscopeError) => error,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(error.exitCode).toBe(2);
    return error.message;
  };

  test("a folder that is missing", async () => {
    expect(await refusal("./no such folder")).toBe("./no such folder: there is no such folder");
  });

  test("a folder that is missing beside one of nearly that name, or within one that is missing", async () => {
    const root = writeTree({ "photos/a/.keep": "", "photos/b/.keep": "" });
    const wrong = join(root, "foto");
    expect(await refusal(wrong)).toBe(
      `${wrong}: there is no such folder; did you mean "${join(root, "photos")}"?`,
    );
    expect(await refusal(`${join(root, "photo")}/`)).toContain(
      `did you mean "${join(root, "photos")}"?`,
    );
    const below = join(wrong, "flowers");
    expect(await refusal(below)).toBe(`${below}: there is no such folder; nor is there ${wrong}`);
  });

  test.each([
    ["flwers", "flowers"],
    ["fashion_mnist", "fashion-mnist"],
    ["MNIST", "mnist"],
    ["cifar-10", "cifar10"],
  ])('%s is met with "did you mean %s?"', async (wrong, meant) => {
    expect(await refusal(wrong)).toContain(`did you mean "${meant}"?`);
  });

  test("an unknown name that is near none", async () => {
    const message = await refusal("imagenet-21k-winter");
    expect(message).not.toContain("did you mean");
    expect(message).toContain("known: mnist, fashion-mnist, cifar10, flowers, synthetic");
  });

  test("an empty folder", async () => {
    expect(await refusal(temporaryFolder())).toContain("the folder is empty");
    expect(await refusal(writeTree({ ".DS_Store": "x" }))).toContain("the folder is empty");
  });

  test("a file", async () => {
    const folder = writeTree({ "x.jpg": "x" });
    expect(await refusal(join(folder, "x.jpg"))).toContain("a file, not a folder");
  });

  test("images but no class folders", async () => {
    const folder = writeTree({
      "1.png": await plain(1),
      "2.JPG": await plain(1),
      "notes.txt": "x",
    });
    expect(await refusal(folder)).toMatch(/: 2 images but no class folders; move the images/);
    expect(await refusal(writeTree({ "notes.txt": "x" }))).toContain("no class folders");
  });

  test("one class", async () => {
    const folder = writeTree({ "rose/1.png": await plain(1), "rose/2.png": await plain(1) });
    expect(await refusal(folder)).toContain('one class folder ("rose"); at least two');
    const nested = writeTree({ "set/a/1.png": "x", "set/b/1.png": "x" });
    expect(await refusal(nested)).toMatch(/or was .*\/set meant\?/);
  });

  test("class folders without files", async () => {
    const folder = writeTree({ "a/.keep": "", "b/.keep": "" });
    expect(await refusal(folder)).toContain("hold no files");
  });

  test("a class with fewer than two usable images", async () => {
    const good = await plain(1);
    const folder = writeTree({ "a/1.png": good, "a/2.png": good, "b/1.png": good, "b/2.png": "" });
    expect(await refusal(folder, { size: 8 })).toContain(
      'class "b" has 1 usable image (1 broken); at least two are needed',
    );
    const hollow = writeTree({ "a/1.png": good, "a/2.png": good, "b/.keep": "" });
    expect(await refusal(hollow, { size: 8 })).toContain('class "b" has 0 usable images');
  });

  test("a class with none for validation, or unknown to training", async () => {
    const good = await plain(1);
    const train = {
      "train/a/1.png": good,
      "train/a/2.png": good,
      "train/b/1.png": good,
      "train/b/2.png": good,
    };
    expect(await refusal(writeTree({ ...train, "val/a/1.png": good }), { size: 8 })).toContain(
      'class "b" has no usable image for validation',
    );
    expect(await refusal(writeTree({ ...train, "val/c/1.png": good }), { size: 8 })).toContain(
      'class "c" is not in',
    );
  });

  test("everything broken", async () => {
    const folder = writeTree({ "a/1.jpg": "", "a/2.jpg": "x", "b/1.jpg": "", "b/2.jpg": "" });
    expect(await refusal(folder)).toMatch(
      /none of its 4 files can be used; the first is a\/1\.jpg \(empty file \(0 bytes\)\)/,
    );
  });
});

describe("options outside their domain", () => {
  test.each([
    [{ size: 0 }, "size must be a positive integer; got 0"],
    [{ size: 5000 }, "size must be at most 1024; got 5000"],
    [{ validation: 0 }, "validation must be a fraction between 0 and 1, both excluded; got 0"],
    [
      { validation: Number.NaN },
      "validation must be a fraction between 0 and 1, both excluded; got NaN",
    ],
    [{ splitSeed: -1 }, "split seed must be an integer, 0 or more; got -1"],
    [{ limit: 1.5 }, "limit must be a positive integer; got 1.5"],
    [{ limit: 1 }, "limit must be at least 2 images a class"],
    [{ threads: 0 }, "threads must be a positive integer; got 0"],
  ])("%o", async (options, message) => {
    await expect(open("synthetic", options)).rejects.toMatchObject({
      code: "ARGUMENT",
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});
