/** @file Sources that cannot be used, or only in part, as the user of the command line meets them. */

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { DatasetRecord } from "../../src/record/index.ts";
import { readRun } from "../../src/store/index.ts";
import { type CliResult, cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

/** An image of one colour; `shade` tells them apart. */
const image = (shade: number, size = 20) =>
  sharp({
    create: { width: size, height: size, channels: 3, background: { r: shade, g: 80, b: 160 } },
  });

/** A JPEG that says it is so many pixels wide and high. */
function claimSize(file: Buffer, pixels: number): Buffer {
  const copy = Buffer.from(file);
  const frame = copy.indexOf(Buffer.from([0xff, 0xc0]));
  copy.writeUInt16BE(pixels, frame + 5);
  copy.writeUInt16BE(pixels, frame + 7);
  return copy;
}

type Content = Buffer | string | Promise<Buffer>;

/** Writes files by relative name. @returns the folder */
async function folder(name: string, files: Readonly<Record<string, Content>>): Promise<string> {
  const path = within(name);
  mkdirSync(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), await content);
  }
  return path;
}

/** Two classes of so many images each. */
function images(count: number, classes = ["a", "b"]): Record<string, Promise<Buffer>> {
  return Object.fromEntries(
    classes.flatMap((name, label) =>
      Array.from({ length: count }, (_, index) => [
        `${name}/${index}.png`,
        image(20 * index + 7 * label)
          .png()
          .toBuffer(),
      ]),
    ),
  );
}

const small = ["--size", "16", "--batch", "4", "--threads", "1"];

function expectRefusal({ code, stdout, stderr }: CliResult): string {
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr.match(/^lrscope: .+$/gm)).toHaveLength(1);
  return stderr;
}

describe("refused, exit 2, before anything is written", () => {
  test("a missing folder, and an unknown source with the nearest", async () => {
    const missing = expectRefusal(await cli(["data", within("nowhere")]));
    expect(missing).toContain(`${within("nowhere")}: there is no such folder`);
    expect(expectRefusal(await cli(["data", "mnits"]))).toContain('did you mean "mnist"?');
    expect(expectRefusal(await cli(["data", " "]))).toContain("source: must not be empty");
  });

  test.each<[string, Record<string, Content>, string]>([
    ["empty", {}, "the folder is empty"],
    ["images-only", { "1.png": "x", "2.png": "x" }, "2 images but no class folders"],
    ["one-class", { "a/1.png": "x" }, 'one class folder ("a"); at least two classes are needed'],
    ["no-files", { "a/.hidden": "", "b/.DS_Store": "" }, "hold no files"],
  ])("%s", async (name, files, message) => {
    const path = await folder(name, files);
    const out = within(`out-${name}`);
    const stderr = expectRefusal(await cli(["train", path, ...small, "--out", out]));
    expect(stderr).toContain(name);
    expect(stderr).toContain(message);
    expect(existsSync(out)).toBe(false);
  });

  test("a path that is a file", async () => {
    const path = join(await folder("file", { "x.txt": "" }), "x.txt");
    expect(expectRefusal(await cli(["data", path]))).toContain("a file, not a folder");
  });

  test.skipIf(absent)("everything broken, and a class left with one image", async () => {
    const broken = await folder("all-broken", { "a/1.jpg": "text", "b/1.jpg": "" });
    expect(expectRefusal(await cli(["data", broken]))).toContain("none of its 2 files can be used");
    const few = await folder("few", { ...images(3), "b/0.png": "", "b/1.png": "" });
    const stderr = expectRefusal(await cli(["data", few]));
    expect(stderr).toContain('class "b"');
  });

  test.skipIf(absent)(
    "a batch larger than the training split; a size that pooling eats up",
    async () => {
      const path = await folder("batch", images(5));
      const out = within("out-batch");
      const call = ["train", path, "--size", "16", "--threads", "1", "--out", out];
      const batch = expectRefusal(await cli([...call, "--batch", "9"]));
      expect(batch).toContain("batch must not exceed the training split; got 9 for 8 images");
      expect(batch).toContain("--batch 8 or less");
      const size = expectRefusal(await cli(["train", path, "--size", "8", "--out", out]));
      expect(size).toContain("leave nothing of 8x8 images; the smallest size that works is 16");
      // 8 images to train: 7, then 1, of which the last stage makes a single value per channel.
      const single = expectRefusal(await cli([...call, "--batch", "7", "--model", "resnet18"]));
      expect(single).toContain("gives it a single value per channel");
      expect(existsSync(out)).toBe(false);
    },
  );

  test("an output folder that cannot be had, before the source is looked at", async () => {
    const taken = await folder("taken", { "notes.txt": "mine" });
    for (const command of ["find", "train", "compare"]) {
      const stderr = expectRefusal(await cli([command, within("nowhere"), "--out", taken]));
      expect(stderr).toContain(`${taken}: is not empty (it holds "notes.txt")`);
      const through = join(taken, "notes.txt", "run");
      expect(expectRefusal(await cli([command, within("nowhere"), "--out", through]))).toContain(
        "the output folder cannot be written",
      );
    }
    expectRefusal(await cli(["demo", "--out", taken]));
    expect(readdirSync(taken)).toEqual(["notes.txt"]);
  });
});

describe.skipIf(absent)(`accepted${absent ? ` (${absent})` : ""}`, () => {
  test("what is broken is listed by name and left out; the run goes on", async () => {
    const jpeg = await image(90, 64).jpeg().toBuffer();
    const path = await folder("mixed", {
      ...images(6),
      "a/zero.jpg": "",
      "a/text.jpg": "hello",
      "b/cut short.jpg": jpeg.subarray(0, jpeg.length / 2),
      "b/huge.jpg": claimSize(jpeg, 12_000),
    });
    const record = (await cli(["data", path, "--size", "16", "--json"])).json<DatasetRecord>();
    expect(record.classes.map(({ name, count }) => [name, count])).toEqual([
      ["a", 6],
      ["b", 6],
    ]);
    expect(record.images).toBe(12);
    const files = ["a/text.jpg", "a/zero.jpg", "b/cut short.jpg", "b/huge.jpg"];
    expect(record.broken.map(({ file }) => file).sort()).toEqual(files);
    for (const { reason } of record.broken) expect(reason).not.toBe("");
    expect(record.broken.find(({ file }) => file === "b/huge.jpg")?.reason).toContain(
      "144 megapixels",
    );
    expect(record.mean).toHaveLength(3);

    const text = await cli(["data", path, "--size", "16"]);
    expect(text.stdout).toContain("4 files cannot be used and are left out:");

    const out = within("out-mixed");
    const run = await cli(["train", path, ...small, "--epochs", "1", "--out", out]);
    expect(run.code).toBe(0);
    for (const file of files) expect(run.stderr).toContain(`  ${file}: `);
    const { experiment } = readRun(out);
    expect(experiment.dataset.broken).toHaveLength(4);
    // The record names the source, and nothing of where it lies.
    expect(experiment.dataset.name).toBe("mixed");
    expect(JSON.stringify(experiment)).not.toContain(within(""));
  });

  test("formats, names, hidden files and links", async () => {
    const grey = image(50).greyscale();
    const path = await folder("förmats & spaces", {
      "ä b/grey.png": grey.clone().toColourspace("b-w").png().toBuffer(),
      "ä b/cmyk.jpg": image(60).toColourspace("cmyk").jpeg().toBuffer(),
      "ä b/sixteen.png": image(70).toColourspace("rgb16").png().toBuffer(),
      "ä b/palette.png": image(80).png({ palette: true }).toBuffer(),
      "花/rotated.jpg": image(90).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      "花/lies.jpg": image(100).png().toBuffer(),
      "花/one pixel.png": image(110, 1).png().toBuffer(),
      "花/webp.webp": image(120).webp().toBuffer(),
      "花/.DS_Store": "x",
      ".hidden/1.png": "x",
    });
    symlinkSync(path, join(path, "花", "loop"));
    const result = await cli(["data", path, "--size", "16", "--json"]);
    expect(result.stderr).not.toContain("lrscope:");
    const record = result.json<DatasetRecord>();
    expect(record.broken).toEqual([]);
    expect(record.classes.map(({ name, count }) => [name, count])).toEqual([
      ["ä b", 4],
      ["花", 4],
    ]);
  });
});
