/**
 * @file What a file decodes to depends on its bytes alone: not on the files before it, nor on how many
 * threads share them out. Damaged files stand between good ones, as libjpeg-turbo keeps state in a
 * handle after a failure, and tables after a success.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomStream } from "../../src/core/random.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import { paint, writeTree } from "./fixtures.ts";

const size = 24;
const bytes = size * size * 3;

/** A picture of its own for each seed, with some detail. */
const picture = (seed: number, width = 90, height = 70) => {
  const noise = randomStream(seed, "synthetic");
  const grain = Float32Array.from({ length: 64 }, () => 60 * noise.uniform());
  return sharp(
    paint(width, height, 3, (x, y, c) => 40 + 1.5 * x + c * y * 0.4 + grain[(x * 7 + y * 3) % 64]!),
    { raw: { width, height, channels: 3 } },
  );
};

/** Where each marker segment begins and ends, up to the scan. */
function segments(jpeg: Uint8Array): { marker: number; start: number; end: number }[] {
  const found = [];
  for (let at = 2; jpeg[at] === 0xff; ) {
    const end = at + 2 + jpeg[at + 2]! * 256 + jpeg[at + 3]!;
    found.push({ marker: jpeg[at + 1]!, start: at, end });
    if (jpeg[at + 1] === 0xda) break;
    at = end;
  }
  return found;
}

/** Without its segments of one kind: its tables, where the marker is DQT (0xdb) or DHT (0xc4). */
const without = (jpeg: Uint8Array, marker: number) => {
  let from = 0;
  const kept: Uint8Array[] = [];
  for (const segment of segments(jpeg).filter((each) => each.marker === marker)) {
    kept.push(jpeg.subarray(from, segment.start));
    from = segment.end;
  }
  return Buffer.concat([...kept, jpeg.subarray(from)]);
};

/** With one segment longer than it says in truth, by `more` bytes. */
const lengthened = (jpeg: Uint8Array, marker: number, more: number) => {
  const copy = Buffer.from(jpeg);
  const { start } = segments(jpeg).find((each) => each.marker === marker)!;
  copy.writeUInt16BE(copy.readUInt16BE(start + 2) + more, start + 2);
  return copy;
};

const flipped = (jpeg: Uint8Array, seed: number) => {
  const copy = Buffer.from(jpeg);
  const draw = randomStream(seed, "split");
  for (let i = 0; i < 3; i++) {
    const at = 2 + Math.floor((jpeg.length - 2) * draw.uniform());
    copy[at] = copy[at]! ^ (1 << Math.floor(8 * draw.uniform()));
  }
  return copy;
};

async function goodAndDamaged(): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < 8; i++) {
    const quality = 30 + 8 * i;
    files[`good-${i}.jpg`] = await picture(i).jpeg({ quality }).toBuffer();
  }
  files["good-progressive.jpg"] = await picture(20).jpeg({ progressive: true }).toBuffer();
  files["good-gray.jpg"] = await picture(21).toColourspace("b-w").jpeg().toBuffer();
  files["good-optimised.jpg"] = await picture(22).jpeg({ optimiseCoding: true }).toBuffer();
  files["good.png"] = await picture(23).png().toBuffer();
  const plain = files["good-3.jpg"]!;
  for (const length of [20, 60, 120, 200, 280, 340, 400, 500, 600])
    files[`cut-${length}.jpg`] = plain.subarray(0, length);
  for (const marker of [0xdb, 0xc4]) {
    files[`without-${marker}.jpg`] = without(plain, marker);
    files[`without-${marker}-progressive.jpg`] = without(files["good-progressive.jpg"]!, marker);
    for (const more of [1, 40, 900])
      files[`longer-${marker}-${more}.jpg`] = lengthened(plain, marker, more);
  }
  files["longer-frame.jpg"] = lengthened(plain, 0xc0, 3);
  for (let seed = 0; seed < 12; seed++) files[`flipped-${seed}.jpg`] = flipped(plain, seed);
  return files;
}

/** Of each file, its verdict and a hash of its pixels where it is decoded. */
async function decode(files: readonly string[], threads: number): Promise<Map<string, string>> {
  const pixels = new Uint8Array(files.length * bytes);
  const found = await loadAddon().decodeFiles(files, pixels, { size, channels: 3, threads });
  return new Map(
    files.map((file, i) => {
      const own = pixels.subarray(i * bytes, (i + 1) * bytes);
      const hash = found.status[i] === 0 ? createHash("sha256").update(own).digest("hex") : "";
      return [file, `${found.status[i]} ${found.reasons[i]} ${hash}`];
    }),
  );
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const draw = randomStream(seed, "split");
  return items
    .map((item) => ({ item, key: draw.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

describe("JPEGs in any order", () => {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-order-"));
  let files: string[];
  let alone: Map<string, string>;

  beforeAll(async () => {
    writeTree(await goodAndDamaged(), folder);
    files = readdirSync(folder).map((name) => join(folder, name));
    alone = new Map();
    for (const file of files) alone.set(file, (await decode([file], 1)).get(file)!);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("the files are of all kinds: decoded, broken, and left to another decoder", () => {
    const verdicts = [...alone.values()].map((text) => text[0]);
    for (const verdict of ["0", "1", "2"])
      expect(verdicts.filter((each) => each === verdict).length).toBeGreaterThan(2);
  });

  test.each([1, 2, 4])("decode as they do alone, with %i threads", async (threads) => {
    for (let seed = 0; seed < 40; seed++)
      expect(await decode(shuffled(files, seed), threads)).toEqual(
        new Map(shuffled(files, seed).map((file) => [file, alone.get(file)!])),
      );
  });

  test("decode as they do alone behind each other file, one by one", async () => {
    for (const before of files)
      for (const file of files)
        if (file !== before)
          expect((await decode([before, file], 1)).get(file), `${file} behind ${before}`).toBe(
            alone.get(file),
          );
  });
});
