import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFeatureFile, writeFeatureFile } from "./feature-file.ts";

describe("the file", () => {
  const key = { fingerprint: "ab".repeat(32), rows: 3, length: 4 };
  const values = Float64Array.from({ length: 12 }, (_, i) => i / 4);
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-features-"));
    path = join(folder, "made", "x.features");
    await writeFeatureFile(path, key, async ({ append }) => {
      await append(values.subarray(0, 8));
      await append(values.subarray(8));
    });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("gives back its rows, at any place", async () => {
    const file = (await openFeatureFile(path, key))!;
    const into = new Float32Array(8);
    await Promise.all([file.read(2, into.subarray(0, 4)), file.read(0, into.subarray(4))]);
    expect([...into]).toEqual([...values.subarray(8), ...values.subarray(0, 4)]);
    expect(file.bytes).toBe(4096 + 24);
    file.close();
  });

  test("a row that is transferred away within the read is not written", async () => {
    const file = (await openFeatureFile(path, key))!;
    const into = new Float32Array(4);
    const reading = file.read(0, into);
    const taken = structuredClone(into, { transfer: [into.buffer] });
    await expect(reading).rejects.toThrow("a row must have its memory");
    expect([...taken]).toEqual([0, 0, 0, 0]);
    file.close();
  });

  test("of another key, cut or changed by a bit, it counts as none", async () => {
    const whole = readFileSync(path);
    const opens = async (other = key) => (await openFeatureFile(path, other)) !== null;
    expect(await opens({ ...key, fingerprint: "cd".repeat(32) })).toBe(false);
    expect(await opens({ ...key, rows: 2 })).toBe(false);
    // 24: the seconds that it took; 200: what nothing is read from.
    for (const place of [0, 8, 12, 16, 24, 31, 40, 70, 200, 4064, 4096, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[place]! ^= 1;
      writeFileSync(path, damaged);
      expect(await opens()).toBe(false);
    }
    writeFileSync(path, whole);
    expect(await opens()).toBe(true);
    for (const length of [0, 100, 4096, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      expect(await opens()).toBe(false);
    }
  });

  test("of lrscope 0.1, whose header has no checksum of its own, it is read", async () => {
    const earlier = readFileSync(path);
    earlier.fill(0, 4064, 4096);
    writeFileSync(path, earlier);
    const file = await openFeatureFile(path, key);
    expect(file).not.toBeNull();
    file!.close();
  });

  test("a folder or a FIFO in its place is named at once", async () => {
    for (const [make, kind] of [
      ["mkdir", "a folder"],
      ["mkfifo", "a FIFO"],
    ] as const) {
      rmSync(path, { recursive: true });
      execFileSync(make, [path]);
      await expect(openFeatureFile(path, key)).rejects.toThrow(
        `${path}: is ${kind}, where a file should be; remove it and run again`,
      );
    }
  });

  test("what fails on the way leaves nothing behind", async () => {
    const other = join(folder, "made", "y.features");
    const made = writeFeatureFile(other, key, async ({ append }) => {
      await append(values);
      throw new Error("stopped");
    });
    await expect(made).rejects.toThrow("stopped");
    expect(readdirSync(join(folder, "made"))).toEqual(["x.features"]);
  });
});
