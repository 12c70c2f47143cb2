/** @file Everything that a phone or a scraper makes is accepted, and comes out right. */

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import {
  asymmetric,
  jpeg,
  largestDifference,
  open,
  paint,
  plain,
  png,
  rawImage,
  storedPixels,
  temporaryFolder,
  writeTree,
} from "./fixtures.ts";

const side = 16;
const picture = asymmetric(side, side);

/** A set of two classes whose image 0 is the file under test, at its own size. */
async function openWith(name: string, content: Uint8Array, size = side) {
  const filler = await plain(90, 90, 90);
  const folder = writeTree({
    [`a/${name}`]: content,
    "a/z-other.png": filler,
    "b/1.png": filler,
    "b/2.png": filler,
  });
  const dataset = await open(folder, { size });
  expect(dataset.record.broken).toEqual([]);
  expect(dataset.record.images).toBe(4);
  return dataset;
}

const decode = async (name: string, content: Uint8Array, size = side) =>
  storedPixels(await openWith(name, content, size), 0);

describe("formats", () => {
  test("colour JPEG", async () => {
    expect(
      largestDifference(await decode("x.jpg", await jpeg(picture, side, side)), picture),
    ).toBeLessThan(6);
  });

  test("progressive JPEG", async () => {
    const file = await rawImage(picture, side, side)
      .jpeg({ quality: 100, progressive: true, chromaSubsampling: "4:4:4" })
      .toBuffer();
    expect(largestDifference(await decode("x.jpg", file), picture)).toBeLessThan(6);
  });

  test("grayscale JPEG and PNG become three equal channels", async () => {
    const gray = paint(side, side, 1, (x, y) => 10 + 7 * x + 5 * y);
    const expected = paint(side, side, 3, (x, y) => 10 + 7 * x + 5 * y);
    const source = () => rawImage(gray, side, side, 1).toColourspace("b-w");
    const jpegFile = await source().jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(jpegFile).metadata()).channels).toBe(1);
    expect(largestDifference(await decode("x.jpg", jpegFile), expected)).toBeLessThan(4);
    const pngFile = await source().png().toBuffer();
    expect((await sharp(pngFile).metadata()).channels).toBe(1);
    expect(await decode("x.png", pngFile)).toEqual(expected);
  });

  test("16-bit PNG keeps the high byte", async () => {
    const wide = Uint16Array.from(picture, (value) => value * 257);
    const file = await sharp(wide, { raw: { width: side, height: side, channels: 3 } })
      .toColourspace("rgb16")
      .png()
      .toBuffer();
    expect((await sharp(file).metadata()).depth).toBe("ushort");
    expect(largestDifference(await decode("x.png", file), picture)).toBeLessThanOrEqual(1);
  });

  test("16-bit grayscale PNG", async () => {
    const wide = Uint16Array.from({ length: side * side }, (_, i) => i * 257);
    const file = await sharp(wide, { raw: { width: side, height: side, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toBuffer();
    expect((await sharp(file).metadata()).depth).toBe("ushort");
    const expected = paint(side, side, 3, (x, y) => y * side + x);
    expect(largestDifference(await decode("x.png", file), expected)).toBeLessThanOrEqual(1);
  });

  test("palette PNG", async () => {
    const four = paint(
      side,
      side,
      3,
      (x, y, c) => (x < 8 ? [250, 20, 30] : y < 8 ? [20, 240, 40] : [10, 30, 230])[c]!,
    );
    const file = await rawImage(four, side, side).png({ palette: true }).toBuffer();
    expect((await sharp(file).metadata()).isPalette).toBe(true);
    expect(largestDifference(await decode("x.png", file), four)).toBeLessThanOrEqual(2);
  });

  test("transparency lies over white", async () => {
    const half = paint(side, side, 4, (_x, _y, c) => [200, 100, 0, 128][c]!);
    const file = await rawImage(half, side, side, 4).png().toBuffer();
    const expected = paint(side, side, 3, (_x, _y, c) =>
      Math.round(([200, 100, 0][c]! * 128 + 255 * 127) / 255),
    );
    expect(largestDifference(await decode("x.png", file), expected)).toBeLessThanOrEqual(2);
  });

  test.each(["webp", "gif", "tiff"] as const)("%s", async (format) => {
    const flat = paint(side, side, 3, (x, _y, c) => (x < 8 ? [255, 0, 0] : [0, 0, 255])[c]!);
    const image = rawImage(flat, side, side);
    const file = await (format === "webp"
      ? image.webp({ lossless: true })
      : format === "tiff"
        ? image.tiff({ compression: "lzw" })
        : image.gif()
    ).toBuffer();
    expect(largestDifference(await decode(`x.${format}`, file), flat)).toBeLessThanOrEqual(3);
  });

  test("an ending that lies: the content decides", async () => {
    expect(await decode("really-png.jpg", await png(picture, side, side))).toEqual(picture);
    const file = await jpeg(picture, side, side);
    const named = await decode("x.jpg", file);
    expect(await decode("really-jpeg.png", file)).toEqual(named);
    expect(await decode("no-ending", file)).toEqual(named);
  });

  test("one pixel fills the square", async () => {
    const red = Uint8Array.from([200, 30, 40]);
    const expected = paint(8, 8, 3, (_x, _y, c) => red[c]!);
    expect(await decode("x.png", await png(red, 1, 1), 8)).toEqual(expected);
    expect(
      largestDifference(await decode("x.jpg", await jpeg(red, 1, 1), 8), expected),
    ).toBeLessThan(4);
  });

  test("a photo much larger than needed: reduced on the way, and still the same picture", async () => {
    const [width, height] = [1300, 900];
    const file = await jpeg(asymmetric(width, height), width, height);
    const expected = paint(32, 32, 3, (x, y, c) => {
      // The middle square: 900 of 1,300 columns.
      const [u, v] = [(200 + ((x + 0.5) * 900) / 32) / width, (y + 0.5) / 32];
      return Math.round(40 + 170 * [u, v, u * u * (1 - v)][c]!);
    });
    expect(largestDifference(await decode("x.jpg", file, 32), expected)).toBeLessThan(5);
  });

  test("libjpeg-turbo and sharp agree before the resampler", async () => {
    const file = await rawImage(asymmetric(61, 47), 61, 47).jpeg({ quality: 80 }).toBuffer();
    const { data } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    const viaSharp = await decode("x.png", await png(data, 61, 47), 24);
    expect(largestDifference(await decode("x.jpg", file, 24), viaSharp)).toBeLessThanOrEqual(2);
  });

  test("stray bytes between JPEG markers do no harm", async () => {
    const whole = await jpeg(picture, side, side);
    const stray = Buffer.concat([whole.subarray(0, -2), Buffer.from("stray"), whole.subarray(-2)]);
    expect(largestDifference(await decode("x.jpg", stray), picture)).toBeLessThan(6);
  });

  test("very long images are cut to their middle", async () => {
    const strip = paint(400, 2, 3, (x) => (x >= 198 && x < 202 ? 250 : 5));
    const decoded = await decode("x.png", await png(strip, 400, 2), 2);
    expect(Math.min(...decoded)).toBeGreaterThanOrEqual(250);
  });
});

describe("EXIF orientation", () => {
  /** Where upright (x, y) lies in the stored image of w x h, by the EXIF 2.3 table for tag 0x0112. */
  const stored: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _w, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _w, h) => [y, h - 1 - x],
    7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
    8: (x, y, w) => [w - 1 - y, x],
  };
  // An odd remainder of the crop: 25 - 16 = 9, of which 4 lie left of the upright image's square.
  const [width, height] = [25, 16];

  for (const format of ["jpeg", "png"] as const)
    test.each([1, 2, 3, 4, 5, 6, 7, 8])(`${format}, orientation %i`, async (orientation) => {
      const upright = asymmetric(width, height);
      const [w, h] = orientation >= 5 ? [height, width] : [width, height];
      const turned = new Uint8Array(upright.length);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const [sx, sy] = stored[orientation]!(x, y, w, h);
          for (let c = 0; c < 3; c++)
            turned[(sy * w + sx) * 3 + c] = upright[(y * width + x) * 3 + c]!;
        }
      const image = rawImage(turned, w, h).withMetadata({ orientation });
      const file = await (format === "png"
        ? image.png()
        : image.jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      ).toBuffer();
      expect((await sharp(file).metadata()).orientation).toBe(orientation);
      const expected = paint(16, 16, 3, (x, y, c) => upright[(y * width + x + 4) * 3 + c]!);
      expect(largestDifference(await decode(`x.${format}`, file), expected)).toBeLessThan(
        format === "png" ? 1 : 6,
      );
    });
});

describe("names and what lies around", () => {
  test("spaces and letters of any script", async () => {
    const [light, dark] = [await plain(220), await plain(20)];
    const folder = writeTree({
      "rosé rouge/été 1.png": light,
      "rosé rouge/花 が 咲く.png": light,
      "солнце/подсолнух.png": dark,
      "солнце/🌻 (1)'\".png": dark,
    });
    const dataset = await open(folder, { size: 8 });
    expect(dataset.classes).toEqual(["rosé rouge", "солнце"]);
    expect(dataset.record.images).toBe(4);
    expect(dataset.record.broken).toEqual([]);
  });

  test(".DS_Store, Thumbs.db, hidden files and folders are not there", async () => {
    const file = await plain(100);
    const folder = writeTree({
      ".DS_Store": "x",
      ".git/config": "x",
      "__MACOSX/a/._1.png": "x",
      "a/.DS_Store": "x",
      "a/Thumbs.db": "x",
      "a/._1.png": "x",
      "a/1.png": file,
      "a/2.png": file,
      "b/.cache/1.png": "x",
      "b/1.png": file,
      "b/2.png": file,
    });
    const { record } = await open(folder, { size: 8 });
    expect(record.classes.map(({ name, count }) => [name, count])).toEqual([
      ["a", 2],
      ["b", 2],
    ]);
    expect(record.broken).toEqual([]);
  });

  test("symbolic links are followed, loops of them ignored", async () => {
    const file = await plain(100);
    const folder = writeTree({
      "a/1.png": file,
      "a/deep/2.png": file,
      "b/1.png": file,
      "b/2.png": file,
    });
    symlinkSync(folder, join(folder, "a", "up"));
    symlinkSync(join(folder, "a"), join(folder, "a", "deep", "again"));
    symlinkSync(folder, join(folder, "itself"));
    symlinkSync("self.png", join(folder, "b", "self.png"));
    const elsewhere = temporaryFolder();
    mkdirSync(join(elsewhere, "more"));
    writeTree({ "more/3.png": file }, elsewhere);
    symlinkSync(join(elsewhere, "more"), join(folder, "b", "more"));
    symlinkSync(join(elsewhere, "more", "3.png"), join(folder, "b", "4.png"));
    const { record } = await open(folder, { size: 8 });
    expect(record.classes.map(({ name, count }) => [name, count])).toEqual([
      ["a", 2],
      ["b", 4],
    ]);
    expect(record.broken).toEqual([]);
  });

  test("train/ and val/ are used as given", async () => {
    const file = await plain(100);
    const folder = writeTree({
      "train/a/1.png": file,
      "train/a/2.png": file,
      "train/b/1.png": file,
      "val/a/1.png": file,
      "val/b/1.png": file,
      "val/b/2.png": file,
    });
    const { record, train, validation, labels } = await open(folder, { size: 8, validation: 0.9 });
    expect(record.classes.map(({ train, validation }) => [train, validation])).toEqual([
      [2, 1],
      [1, 2],
    ]);
    expect(Array.from(train, (i) => labels[i])).toEqual([0, 0, 1]);
    expect(Array.from(validation, (i) => labels[i])).toEqual([0, 1, 1]);
  });
});
