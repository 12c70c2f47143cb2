/**
 * @file The cache of decoded images, damaged: whatever is changed in its file, the same images come back,
 * decoded anew, and it is said. What is no file in its place is named.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { LrscopeError } from "../../src/core/errors.ts";
import { philox } from "../../src/core/philox.ts";
import { knownPlace, rememberPlace } from "../../src/datasets/cache/places.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import type { DataEvent } from "../../src/record/index.ts";
import { crc32c } from "../../src/store/crc32c.ts";
import { openTuningCache } from "../../src/store/tuning-cache.ts";
import { asymmetric, plain, png, temporaryFolder, writeTree } from "./fixtures.ts";

/** The images end within the third MiB. */
const SIZE = 420;
const PIXELS = 4096;
const IMAGE = SIZE * SIZE * 3;

async function pets() {
  const picture = await png(asymmetric(90, 90), 90, 90);
  return writeTree({
    "cat/1.png": picture,
    "cat/2.png": await plain(40, 50, 60),
    "cat/3.png": "",
    "dog/1.png": picture,
    "dog/2.png": await plain(100, 110, 120),
  });
}

/** A data set in a cache of its own: where its file is, what it holds, and a way to open it again. */
async function kept() {
  const [source, cacheDir] = [await pets(), temporaryFolder()];
  const open = async () => {
    const said: DataEvent[] = [];
    const dataset = await openDataset(source, {
      cacheDir,
      size: SIZE,
      threads: 2,
      onEvent: (event) => said.push(event),
    });
    const count = dataset.labels.length;
    const images = new Float32Array(count * IMAGE);
    const indices = Int32Array.from(dataset.labels.keys());
    await dataset.fill({ images, labels: new Int32Array(count), indices });
    const pixels = Buffer.from(images.buffer);
    const { record } = dataset;
    dataset.close();
    return { record, pixels, why: said.find(({ why }) => why !== undefined)?.why, said };
  };
  const whole = await open();
  const [name] = readdirSync(join(cacheDir, "decoded"));
  const file = join(cacheDir, "decoded", name!);
  return { open, whole, file, bytes: readFileSync(file), cacheDir };
}

describe("a damaged file gives the same images", () => {
  let cache: Awaited<ReturnType<typeof kept>>;
  beforeEach(async () => {
    cache = await kept();
  });

  /** Damages the file, opens it again, and compares all that comes of it. */
  const expectMended = async (damage: (bytes: Buffer) => Buffer) => {
    writeFileSync(cache.file, damage(Buffer.from(cache.bytes)));
    const { record, pixels, why } = await cache.open();
    expect(record).toEqual(cache.whole.record);
    expect(pixels.equals(cache.whole.pixels)).toBe(true);
    expect(why).toMatch(/^the decoded images in the cache are of no use: /);
    expect(readFileSync(cache.file).equals(cache.bytes)).toBe(true);
  };

  test("one bit, anywhere", async () => {
    const { bytes } = cache;
    const after = PIXELS + 4 * IMAGE;
    const random = (draw: number, from: number, to: number) =>
      from + (philox([draw, 0, 0, 0], 7, 9)[0] % (to - from));
    const places = [
      ...[0, 8, 12, 16, 20, 24, 32, 40, 44, 4092, 4095, PIXELS, after - 1, after, after + 11],
      ...[after + 12, bytes.length - 1],
      ...Array.from({ length: 4 }, (_, i) => random(i, 44, PIXELS)),
      ...Array.from({ length: 24 }, (_, i) => random(100 + i, PIXELS, after)),
      ...Array.from({ length: 6 }, (_, i) => random(200 + i, after, bytes.length)),
    ];
    for (const [i, place] of places.entries())
      await expectMended((damaged) => {
        damaged[place]! ^= 1 << (i % 8);
        return damaged;
      });
  }, 400_000);

  test("cut, longer, swapped, of the earlier format", async () => {
    const { bytes } = cache;
    const after = PIXELS + 4 * IMAGE;
    const earlier = () => {
      // Version 1: no checksums, and the JSON right after the images.
      const header = Buffer.from(bytes.subarray(0, PIXELS)).fill(0, 40);
      header.writeUInt32LE(1, 8);
      return Buffer.concat([header, bytes.subarray(PIXELS, after), bytes.subarray(after + 12)]);
    };
    for (const length of [0, 7, 40, 4095, PIXELS, after - 1, after, after + 5, bytes.length - 1])
      await expectMended((damaged) => damaged.subarray(0, length));
    await expectMended((damaged) => Buffer.concat([damaged, Buffer.alloc(1)]));
    await expectMended(earlier);
    // Two images in each other's place: every byte is one that was written.
    await expectMended((damaged) => {
      bytes.copy(damaged, PIXELS, PIXELS + IMAGE, PIXELS + 2 * IMAGE);
      bytes.copy(damaged, PIXELS + IMAGE, PIXELS, PIXELS + IMAGE);
      return damaged;
    });
  }, 400_000);

  test("a whole file is read, not made again", async () => {
    const { said, why } = await cache.open();
    expect(why).toBeUndefined();
    expect(said.filter(({ phase }) => phase === "decode")).toEqual([]);
  });
});

describe("what is no file in a file's place", () => {
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => "made good",
      (error) => (error instanceof LrscopeError ? `${error.code} ${error.message}` : String(error)),
    );

  test.each([
    ["a folder", "is a folder, where a file should be"],
    ["a FIFO", "is a FIFO, where a file should be"],
    ["a socket", "is a socket, where a file should be"],
    ["a link to itself", null],
    ["a link to nothing", null],
  ])("%s among the decoded images", async (kind, message) => {
    const { open, file, whole } = await kept();
    rmSync(file);
    if (kind === "a folder") mkdirSync(file);
    else if (kind === "a FIFO") execFileSync("mkfifo", [file]);
    else if (kind === "a socket") {
      const server = createServer();
      // Bound from within its folder: the whole path may be longer than a socket's name may be.
      const before = process.cwd();
      process.chdir(join(file, ".."));
      await new Promise<void>((ready) => server.listen(file.split("/").at(-1), () => ready()));
      process.chdir(before);
      onTestFinished(() => void server.close());
    } else symlinkSync(kind === "a link to itself" ? file : `${file}.absent`, file);
    if (message === null) expect((await open()).pixels.equals(whole.pixels)).toBe(true);
    else expect(await outcome(open())).toBe(`STORE ${file}: ${message}; remove it and run again`);
  });

  test.each(["decoded", "features", "sources", "places", "tuning"])(
    "a file, a FIFO or a link to itself as %s/",
    async (name) => {
      const source = await pets();
      for (const make of [
        (path: string) => writeFileSync(path, "x"),
        (path: string) => execFileSync("mkfifo", [path]),
        (path: string) => symlinkSync(path, path),
      ]) {
        const cacheDir = temporaryFolder();
        make(join(cacheDir, name));
        const opened = openDataset(source, { cacheDir, size: 8 }).then((dataset) =>
          dataset.close(),
        );
        expect(await outcome(opened)).toMatch(
          name === "decoded"
            ? /^STORE .*decoded: the cache folder cannot be written \(/
            : /^made good$/,
        );
        await rememberPlace("f", source, cacheDir);
        expect(knownPlace("f", cacheDir)).toBe(name === "places" ? null : source);
      }
    },
  );

  test("a FIFO or a folder for a remembered place, or for what was tuned", async () => {
    const cacheDir = temporaryFolder();
    const notes: string[] = [];
    const tuning = {
      engine: "e",
      threads: 1,
      cacheDir,
      onNote: (text: string) => notes.push(text),
    };
    await rememberPlace("f", "/somewhere", cacheDir);
    const places = join(cacheDir, "places");
    const place = join(places, readdirSync(places)[0]!);
    openTuningCache(tuning).save(new Map());
    const { file } = openTuningCache(tuning);
    for (const make of [
      (path: string) => mkdirSync(path),
      (path: string) => execFileSync("mkfifo", [path]),
    ]) {
      for (const path of [place, file]) {
        rmSync(path, { recursive: true });
        make(path);
      }
      expect(knownPlace("f", cacheDir)).toBeNull();
      expect(openTuningCache(tuning).times.size).toBe(0);
      expect(notes.at(-1)).toContain("is damaged, and is left aside");
      await rememberPlace("f", "/somewhere", cacheDir);
      expect(readdirSync(places)).toHaveLength(1);
    }
  });
});

describe("CRC-32C in C++", () => {
  let bytes: Buffer;
  beforeAll(() => {
    bytes = Buffer.from(
      Uint8Array.from({ length: 300 }, (_, i) => philox([i, 0, 0, 0], 5, 4)[0] & 255),
    );
  });

  test("is RFC 3720's, of every length and alignment", () => {
    expect(loadAddon().crc32c(Buffer.alloc(32), 0)).toBe(0x8a9136aa);
    expect(loadAddon().crc32c(Buffer.alloc(0), 0)).toBe(0);
    for (let start = 0; start < 9; start++)
      for (let length = 0; length < 40; length++) {
        const some = bytes.subarray(start, start + length);
        expect(loadAddon().crc32c(some, 0)).toBe(crc32c(some));
      }
  });

  test("goes on from what came before", () => {
    for (const cut of [0, 1, 7, 8, 150, 300]) {
      const first = loadAddon().crc32c(bytes.subarray(0, cut), 0);
      expect(loadAddon().crc32c(bytes.subarray(cut), first)).toBe(crc32c(bytes));
    }
  });
});
