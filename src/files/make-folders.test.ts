import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolders } from "./make-folders.ts";

const folder = mkdtempSync(join(tmpdir(), "lrscope-folders-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("makes what is missing, and says where it began", () => {
  const path = join(folder, "a", "b", "c");
  expect(makeFolders(path)).toBe(join(folder, "a"));
  expect(existsSync(path)).toBe(true);
  expect(makeFolders(path)).toBeUndefined();
});

test("all or none: what was made before a name that cannot be is taken away", () => {
  mkdirSync(join(folder, "there"));
  const path = join(folder, "there", "new", "x".repeat(300));
  expect(() => makeFolders(path)).toThrow("ENAMETOOLONG");
  expect(existsSync(join(folder, "there", "new"))).toBe(false);
  expect(existsSync(join(folder, "there"))).toBe(true);
});

test("a file in the way", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => makeFolders(join(folder, "file"))).toThrow("EEXIST");
  expect(() => makeFolders(join(folder, "file", "x"))).toThrow("ENOTDIR");
});

test.skipIf(!existsSync("/proc/self"))("returns where nothing can be made", () => {
  // Node's recursive mkdir loops for ever here.
  expect(() => makeFolders("/proc/lrscope")).toThrow("ENOENT");
});
