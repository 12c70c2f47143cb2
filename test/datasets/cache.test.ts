/** @file The cache of decoded images: found again, rebuilt when damaged, whole or absent. */

import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LrscopeError } from "../../src/core/errors.ts";
import { openDataset } from "../../src/datasets/open.ts";
import type { DataEvent } from "../../src/record/index.ts";
import { open, plain, storedPixels, temporaryFolder, writeTree } from "./fixtures.ts";

const decoded = (cacheDir: string) => join(cacheDir, "decoded");
const filesIn = (cacheDir: string) => readdirSync(decoded(cacheDir));

async function pets() {
  return writeTree({
    "cat/1.png": await plain(10, 20, 30),
    "cat/2.png": await plain(40, 50, 60),
    "cat/3.png": "",
    "dog/1.png": await plain(70, 80, 90),
    "dog/2.png": await plain(100, 110, 120),
  });
}

/** Open, count decoded images, close. */
async function decodeCount(source: string, cacheDir: string, options = {}) {
  const seen: DataEvent[] = [];
  const dataset = await openDataset(source, {
    cacheDir,
    size: 8,
    onEvent: (event) => seen.push(event),
    ...options,
  });
  const { record } = dataset;
  dataset.close();
  return { record, decoded: seen.filter(({ phase }) => phase === "decode").at(-1)?.done ?? 0 };
}

/** A process that dies in the middle of filling the cache. */
const killed = (what: "decode", source: string, destination: string) =>
  spawnSync(process.execPath, [
    new URL("killed-child.mjs", import.meta.url).pathname,
    what,
    source,
    destination,
  ]);

describe("the same source and settings", () => {
  test("are decoded once, broken files remembered", async () => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    const first = await decodeCount(source, cacheDir);
    const second = await decodeCount(source, cacheDir);
    expect([first.decoded, second.decoded]).toEqual([5, 0]);
    expect(second.record).toEqual(first.record);
    expect(second.record.broken).toEqual([{ file: "cat/3.png", reason: "empty file (0 bytes)" }]);
    expect(filesIn(cacheDir)).toHaveLength(1);
  });

  test("have one fingerprint wherever the folder lies", async () => {
    const source = await pets();
    const copy = temporaryFolder();
    cpSync(source, copy, { recursive: true });
    const cacheDir = temporaryFolder();
    const [a, b] = [await decodeCount(source, cacheDir), await decodeCount(copy, cacheDir)];
    expect(b.record.fingerprint).toBe(a.record.fingerprint);
  });

  test("another seed or fraction of the split decodes nothing again", async () => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    const first = await decodeCount(source, cacheDir);
    const other = await decodeCount(source, cacheDir, {
      splitSeed: 5,
      validation: 0.4,
      augment: "none",
    });
    expect(other.decoded).toBe(0);
    expect(other.record.fingerprint).toBe(first.record.fingerprint);
  });
});

describe("a change is noticed", () => {
  test.each([
    [
      "a file's content",
      (root: string, other: Buffer) => writeFileSync(join(root, "cat/1.png"), other),
    ],
    ["a new file", (root: string, other: Buffer) => writeFileSync(join(root, "cat/9.png"), other)],
    [
      "a file that is mended",
      (root: string, other: Buffer) => writeFileSync(join(root, "cat/3.png"), other),
    ],
  ])("%s", async (_what, change) => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    const before = await decodeCount(source, cacheDir);
    change(source, await plain(200));
    const after = await decodeCount(source, cacheDir);
    expect(after.decoded).toBeGreaterThan(0);
    expect(after.record.fingerprint).not.toBe(before.record.fingerprint);
  });

  test("the size", async () => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    await decodeCount(source, cacheDir);
    expect((await decodeCount(source, cacheDir, { size: 9 })).decoded).toBe(5);
  });
});

describe("a damaged file is built again", () => {
  test.each([
    ["cut short", (file: string) => truncateSync(file, 4500)],
    ["too long", (file: string) => appendFileSync(file, "x")],
    ["empty", (file: string) => truncateSync(file, 0)],
    ["not a cache", (file: string) => writeFileSync(file, "hello")],
    [
      "a header of another version",
      (file: string) => {
        const bytes = readFileSync(file);
        bytes.writeUInt32LE(999, 8);
        writeFileSync(file, bytes);
      },
    ],
    [
      "a count that does not fit",
      (file: string) => {
        const bytes = readFileSync(file);
        bytes.writeUInt32LE(5, 12);
        writeFileSync(file, bytes);
      },
    ],
    [
      "JSON that is none",
      (file: string) => {
        const bytes = readFileSync(file);
        bytes.fill(0x20, bytes.length - 20);
        writeFileSync(file, bytes);
      },
    ],
  ])("%s", async (_what, damage) => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    const whole = await decodeCount(source, cacheDir);
    const file = join(decoded(cacheDir), filesIn(cacheDir)[0]!);
    const bytes = readFileSync(file);
    damage(file);
    const again = await decodeCount(source, cacheDir);
    expect(again.decoded).toBe(5);
    expect(again.record).toEqual(whole.record);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });
});

describe("nothing half-written", () => {
  test("an interruption leaves no file and ends with 130", async () => {
    const many = await plain(50);
    const source = writeTree(
      Object.fromEntries(
        Array.from({ length: 300 }, (_, i) => [`${i % 2 ? "a" : "b"}/${i}.png`, many]),
      ),
    );
    const cacheDir = temporaryFolder();
    const controller = new AbortController();
    const opening = openDataset(source, {
      cacheDir,
      size: 8,
      signal: controller.signal,
      onEvent: () => controller.abort(),
    });
    await expect(opening).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    expect(filesIn(cacheDir)).toEqual([]);
  });

  test("what a killed process left is swept after a day, newer files stay", async () => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    writeTree(
      { "decoded/x.images.77.0123abcd.tmp": "old", "decoded/y.images.78.0123abcd.tmp": "new" },
      cacheDir,
    );
    utimesSync(join(decoded(cacheDir), "x.images.77.0123abcd.tmp"), 1e9, 1e9);
    await decodeCount(source, cacheDir);
    const names = filesIn(cacheDir);
    expect(names).toHaveLength(2);
    expect(names).toContain("y.images.78.0123abcd.tmp");
  });

  test("what a process killed while it decodes leaves goes with the next run", async () => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    const { signal } = killed("decode", source, cacheDir);
    expect(signal).toBe("SIGKILL");
    expect(filesIn(cacheDir)).toEqual([expect.stringMatching(/\.tmp$/)]);
    await decodeCount(source, cacheDir);
    expect(filesIn(cacheDir)).toEqual([expect.stringMatching(/\.images$/)]);
  });

  test("and so does what is left beside features, sources, places and times of tuning", async () => {
    const [source, cacheDir] = [await pets(), temporaryFolder()];
    killed("decode", source, cacheDir);
    const left = filesIn(cacheDir)[0]!;
    const folders = ["features", "sources", "places", "tuning"];
    writeTree(Object.fromEntries(folders.map((name) => [`${name}/${left}`, "half"])), cacheDir);
    await decodeCount(source, cacheDir);
    for (const name of folders) expect(readdirSync(join(cacheDir, name))).toEqual([]);
  });

  test("a folder that cannot be written is named, with the remedy", async () => {
    const source = await pets();
    const blocked = join(writeTree({ file: "x" }), "file", "cache");
    const error: LrscopeError = await openDataset(source, { cacheDir: blocked, size: 8 }).then(
      () => expect.unreachable("it was written"),
      (error) => error,
    );
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(
      `${join(blocked, "decoded")}: the cache folder cannot be written`,
    );
    expect(error.message).toContain("LRSCOPE_CACHE");
  });

  test("a disk that is full ends with 1 and leaves nothing", async () => {
    const source = await pets();
    const cacheDir = temporaryFolder();
    // A limit on the size of files stands for a full disk: writes beyond it fail, with EFBIG.
    const program = new URL("open-child.mjs", import.meta.url).pathname;
    const output = execFileSync(
      "bash",
      ["-c", 'ulimit -f 256; exec "$@"', "bash", process.execPath, program, source, cacheDir],
      {
        encoding: "utf8",
      },
    );
    const { exitCode, message } = JSON.parse(output);
    expect(message).toContain(`${decoded(cacheDir)}: no space left to write`);
    expect(message).toContain("LRSCOPE_CACHE");
    expect(exitCode).toBe(1);
    expect(filesIn(cacheDir)).toEqual([]);
  });
});

test("two that build the same cache at once both get it", async () => {
  const [source, cacheDir] = [await pets(), temporaryFolder()];
  const [a, b] = await Promise.all([
    open(source, { cacheDir, size: 8 }),
    open(source, { cacheDir, size: 8 }),
  ]);
  expect(filesIn(cacheDir)).toHaveLength(1);
  expect(await storedPixels(a, 3)).toEqual(await storedPixels(b, 3));
  expect([...(await storedPixels(a, 3)).subarray(0, 3)]).toEqual([100, 110, 120]);
});
