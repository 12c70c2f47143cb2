/**
 * @file An environment of JavaScript that ends within a call of the native module: a worker that is
 * terminated, a process that leaves or has nothing more to do. Nothing else may end with it. Where a
 * worker is ended is counted in calls that it has begun, not in time.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineAbsent } from "../cli/temporary.ts";
import { CALLS } from "./addon-calls.mjs";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const names = Object.keys(CALLS);
  let folder: string;
  let files: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-ends-"));
    const [cache, photo] = [join(folder, "cache"), join(folder, "photo.jpg")];
    writeFileSync(
      cache,
      Uint8Array.from({ length: 8 * 32 * 32 * 3 + 64 }, (_, i) => i % 251),
    );
    const create = { width: 160, height: 120, channels: 3, background: "#a03050" } as const;
    await sharp({ create }).jpeg().toFile(photo);
    files = JSON.stringify({ folder, cache, photo });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const child = async (mode: string, ...more: string[]) => {
    const script = fileURLToPath(new URL("./addon-child.mjs", import.meta.url));
    const { stdout, stderr } = await promisify(execFile)("node", [script, mode, files, ...more]);
    return stdout + stderr;
  };

  test.each(names)(
    "a worker is terminated within %s: 10 of 10 times it alone ends",
    async (name) => {
      expect(await child("terminate", "1", "10", name)).toBe(
        "terminated 10, and all still works\n",
      );
    },
  );

  test("a worker is terminated while it trains: 5 of 5 times it alone ends", async () => {
    expect(await child("train")).toBe("trained\n");
  }, 240_000);

  test("two workers at once, and the main thread's own work beside them", async () => {
    expect(await child("together")).toBe("together\n");
  });

  test.each(["run", "fillSession", "fillOwn"])(
    "%s is done though JavaScript forgets what it was called on",
    async (name) => {
      expect(await child("forget", name)).toBe("all are done\n");
    },
  );

  test.each(names)("process.exit() right after %s", async (name) => {
    expect(await child("leave", name)).toBe("leaving\n");
  });

  test.each(names)("a process that has nothing more to do waits for %s", async (name) => {
    expect(await child("wait", name)).toBe("done\n");
  });
});
