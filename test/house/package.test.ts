import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "./rooms.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
// Tests build what they run without declarations; ./scripts/setup and npm run build make both.
const built = existsSync(join(root, "dist", "index.d.ts"));
const exported = Object.entries<Record<string, string>>(manifest.exports).filter(
  ([, target]) => typeof target === "object",
);

describe("package.json", () => {
  test("what it publishes is there", () => {
    const files = (manifest.files as string[]).filter(
      (name) => !name.startsWith("!") && name !== "dist",
    );
    expect(files.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  test("the version that records carry is this one", async () => {
    const { VERSION } = await import("../../src/core/version.ts");
    expect(VERSION).toBe(manifest.version);
  });

  test("dependencies are pinned", () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.entries<string>(all).filter(([, version]) => !/^\d/.test(version))).toEqual([]);
  });

  test.skipIf(!built).each(exported)(
    "%s: types and module are built, and load",
    async (_, target) => {
      expect(existsSync(join(root, target.types!))).toBe(true);
      const module = await import(pathToFileURL(join(root, target.default!)).href);
      expect(Object.keys(module).length).toBeGreaterThan(0);
      expect(module).not.toHaveProperty("default");
    },
  );
});

describe("bin/lrscope.js", () => {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-bin-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("without dist/ it says what to run, in one line", async () => {
    await mkdir(join(folder, "bin"));
    await cp(join(root, "bin"), join(folder, "bin"), { recursive: true });
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, "bin", "lrscope.js"), "--help"],
      { encoding: "utf8" },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: "lrscope is not built yet. In a clone, run:  ./scripts/setup\n",
    });
  });
});
