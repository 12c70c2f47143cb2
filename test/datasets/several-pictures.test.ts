/** @file Files that hold several pictures are told from those that hold one, against what PIL wrote of each. */

import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { holdsSeveralPictures } from "../../src/datasets/sources/several-pictures.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { root } from "../house/rooms.ts";

const within = temporaryFolder();

const { cases } = JSON.parse(
  readFileSync(join(root, "test/fixtures/image-formats.json"), "utf8"),
) as { cases: { row: string; name: string; file: string }[] };

const judged = (bytes: Buffer): boolean => {
  mkdirSync(within("."), { recursive: true });
  writeFileSync(within("file"), bytes);
  const descriptor = openSync(within("file"), "r");
  try {
    return holdsSeveralPictures(bytes.subarray(0, 4096), descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** A TIFF of so many pages of one black pixel; `kind` is the NewSubfileType of all but the first. */
function tiff(pages: number, { kind = 0, big = false } = {}): Buffer {
  const tags = [254, 256, 257, 258, 262, 273, 278, 279];
  const size = 2 + 12 * tags.length + 4;
  const bytes = Buffer.alloc(8 + pages * size + 1);
  const short = (value: number, at: number) =>
    big ? bytes.writeUInt16BE(value, at) : bytes.writeUInt16LE(value, at);
  const long = (value: number, at: number) =>
    big ? bytes.writeUInt32BE(value, at) : bytes.writeUInt32LE(value, at);
  bytes.write(big ? "MM\0*" : "II*\0", "latin1");
  long(8, 4);
  for (let page = 0; page < pages; page++) {
    const begin = 8 + page * size;
    short(tags.length, begin);
    const values = [page === 0 ? 0 : kind, 1, 1, 8, 1, bytes.length - 1, 1, 1];
    for (const [i, tag] of tags.entries()) {
      const entry = begin + 2 + 12 * i;
      short(tag, entry);
      short(4, entry + 2);
      long(1, entry + 4);
      long(values[i]!, entry + 8);
    }
    long(page + 1 < pages ? begin + size : 0, begin + size - 4);
  }
  return bytes;
}

describe("holdsSeveralPictures", () => {
  test.each(cases.map((entry) => [`${entry.row}, ${entry.name}`, entry] as const))(
    "%s",
    (_, entry) => {
      expect(judged(Buffer.from(entry.file, "base64"))).toBe(entry.row.endsWith(", animated"));
    },
  );

  test("TIFFs of pages, in both orders of bytes, as libvips counts them; a smaller version is none", async () => {
    for (const big of [false, true])
      for (const pages of [1, 2, 3]) {
        const bytes = tiff(pages, { big });
        expect((await sharp(bytes).metadata()).pages ?? 1).toBe(pages);
        expect(judged(bytes)).toBe(pages > 1);
      }
    expect(judged(tiff(2, { kind: 1 }))).toBe(false);
  });

  test("cut anywhere, it ends", () => {
    for (const { file, row } of cases.filter(({ row }) => /GIF|WebP|TIFF/.test(row))) {
      const whole = Buffer.from(file, "base64");
      for (let length = 0; length < whole.length; length += 7)
        expect([row, typeof judged(whole.subarray(0, length))]).toEqual([row, "boolean"]);
    }
  });
});

const absent = engineAbsent();
test.skipIf(absent)("data and the lines before a run name them", async () => {
  const bytesOf = (row: string) =>
    Buffer.from(cases.find((entry) => entry.row === row)!.file, "base64");
  for (const [i, name] of ["a", "b", "c", "d"].entries()) {
    mkdirSync(within(`photos/${i % 2}`), { recursive: true });
    writeFileSync(within(`photos/${i % 2}/${name}.png`), bytesOf("PNG"));
    writeFileSync(within(`photos/${i % 2}/${name}.gif`), bytesOf(i < 3 ? "GIF, animated" : "GIF"));
  }
  const said =
    "3 files hold several pictures (an animation's frames, pages), of which the first is taken: 0/a.gif, 0/c.gif, 1/b.gif\n";
  const data = await cli(["data", within("photos"), "--size", "16"]);
  expect(`${data.code} ${data.stdout}`).toContain(said);
  const run = ["train", within("photos"), "--size", "16", "--epochs", "1", "--no-samples"];
  const trained = await cli([...run, "--threads", "1", "--out", within("run")]);
  expect(`${trained.code} ${trained.stderr}`).toContain(said);
});
