/** @file A folder of the test's own, with a cache of decoded images in it; and whether there is an engine. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { loadAddon } from "../../src/engine/native/addon/index.ts";

/** Why the engine is absent; null where it is there. */
export const engineAbsent = (): string | null => {
  try {
    loadAddon();
    return null;
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
};

/** Made before the file's tests, removed after them. */
export function temporaryFolder(): (name: string) => string {
  let root = "";
  const earlier = process.env.LRSCOPE_CACHE;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "lrscope-cli-"));
    process.env.LRSCOPE_CACHE = join(root, "cache");
  });
  afterAll(() => {
    if (earlier === undefined) delete process.env.LRSCOPE_CACHE;
    else process.env.LRSCOPE_CACHE = earlier;
    rmSync(root, { recursive: true, force: true });
  });
  return (name) => join(root, name);
}
