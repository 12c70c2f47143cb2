/** @file Wrong arguments to every function of the native module, drawn at random: errors, never a crash. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineAbsent } from "../cli/temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let files: { cache: string; photo: string; last: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-wrong-"));
    files = {
      cache: join(folder, "cache"),
      photo: join(folder, "photo.jpg"),
      last: join(folder, "last-call"),
    };
    writeFileSync(files.cache, new Uint8Array(8 * 16 * 16 * 3 + 64));
    const create = { width: 40, height: 30, channels: 3, background: "#a03050" } as const;
    await sharp({ create }).jpeg().toFile(files.photo);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([1, 2, 3])("1500 calls of seed %i", async (seed) => {
    const script = fileURLToPath(new URL("./wrong-arguments-child.mjs", import.meta.url));
    const args = [script, JSON.stringify(files), String(seed), "1500"];
    const { stdout } = await promisify(execFile)("node", args).catch((error) => {
      throw new Error(`${error.signal ?? error.stderr} at ${readFileSync(files.last, "utf8")}`);
    });
    const [errors, values] = stdout.match(/\d+/g)!.map(Number);
    expect(errors! + values!).toBe(1500);
    expect(errors).toBeGreaterThan(600);
    expect(values).toBeGreaterThan(50);
  });
});
