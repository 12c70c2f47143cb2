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
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFeatureFile, toBfloat16, writeFeatureFile } from "./feature-file.ts";

describe("bfloat16", () => {
  const widened = (half: number) => new Float32Array(Uint32Array.of((half << 16) >>> 0).buffer)[0]!;

  test.each([
    [1, 0x3f80],
    [-2.5, 0xc020],
    [-0, 0x8000],
    [Number.POSITIVE_INFINITY, 0x7f80],
    [Number.NEGATIVE_INFINITY, 0xff80],
    [1e-45, 0],
    // Half-way between two: the even one.
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [1 + 2 ** -8 + 2 ** -20, 0x3f81],
    // Beyond the greatest.
    [3.4e38, 0x7f80],
  ])("%f", (value, half) => expect(toBfloat16([value])[0]).toBe(half));

  test("NaN stays NaN, whatever its bits", () => {
    const payload = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    expect(widened(toBfloat16(payload)[0]!)).toBeNaN();
    expect(widened(toBfloat16([Number.NaN])[0]!)).toBeNaN();
  });

  test("no other is nearer", () => {
    const finite = fc.float({
      noNaN: true,
      noDefaultInfinity: true,
      max: 2 ** 100,
      min: -(2 ** 100),
    });
    fc.assert(
      fc.property(finite, (value) => {
        const half = toBfloat16([value])[0]!;
        const distance = Math.abs(widened(half) - value);
        for (const other of [half - 1, half + 1])
          if (other >= 0 && other < 0x10000 && Number.isFinite(widened(other)))
            expect(distance).toBeLessThanOrEqual(Math.abs(widened(other) - value));
      }),
    );
  });
});

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

  test("of another key, cut or changed by a bit, it counts as none", async () => {
    const whole = readFileSync(path);
    const opens = async (other = key) => (await openFeatureFile(path, other)) !== null;
    expect(await opens({ ...key, fingerprint: "cd".repeat(32) })).toBe(false);
    expect(await opens({ ...key, rows: 2 })).toBe(false);
    for (const place of [0, 8, 12, 16, 40, 70, 4096, whole.length - 1]) {
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
