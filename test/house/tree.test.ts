import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./rooms.ts";

/** Files of the repository: tracked, and new ones that git does not ignore. */
const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 1 << 26,
});
const paths = (listed.stdout ?? "")
  .split("\0")
  .filter(
    (path) => path !== "" && existsSync(join(root, path)) && statSync(join(root, path)).isFile(),
  );
const contents = new Map(paths.map((path) => [path, readFileSync(join(root, path))]));
const texts = [...contents]
  .filter(([, bytes]) => !bytes.subarray(0, 8192).includes(0))
  .map(([path, bytes]) => ({ path, text: bytes.toString("utf8") }));

// Outside a clone (an unpacked archive) there is no list of files to go by.
describe.skipIf(listed.status !== 0)("files of the repository", () => {
  test("sources keep to 400 lines, or their header says why not", () => {
    const isSource = /^(src|native|test|bench|examples|scripts|bin)\/.*\.(ts|js|mjs|cc|h|py)$/;
    const long = texts
      .filter(({ path, text }) => isSource.test(path) && text.split("\n").length > 401)
      .filter(({ text }) => !/\blong because\b/i.test(text.split("\n").slice(0, 30).join(" ")))
      .map(({ path }) => `${path}: split it, or begin its header's reason with "Long because"`);
    expect(long).toEqual([]);
  });

  test("no folder of sources holds more than 25 of them, tests aside", () => {
    const counts = new Map<string, number>();
    for (const path of paths)
      if (/^(src|studies|native)\/.*\.(ts|cc|h)$/.test(path) && !/\.test\.ts$/.test(path))
        counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect(counts.size).toBeGreaterThan(40);
    const full = [...counts].filter(([, count]) => count > 25);
    expect(full.map(([folder, count]) => `${folder}: ${count}; make folders of it`)).toEqual([]);
  });

  // In parts, so that this file does not hold what it looks for.
  const machinePath = new RegExp(
    `(^|[\\s"'\`(=:,])/(${["home", "root", "work"].join("|")})/[\\w.]`,
    "m",
  );
  const registryHost = new RegExp(
    `${"registry"}\\.[a-z0-9-]+\\.(org|com|net)|${"deb"}\\.debian\\.org`,
    "i",
  );

  test("the patterns find what they are for", () => {
    expect(["", "home", "me", "x"].join("/")).toMatch(machinePath);
    expect(`see ${["", "work", "main"].join("/")}`).toMatch(machinePath);
    expect("src/work/index.ts and https://x.org/home/a").not.toMatch(machinePath);
    expect(["https://registry", "npmjs", "org/x"].join(".")).toMatch(registryHost);
  });

  test("no file holds a path of somebody's machine", () => {
    const found = texts.filter(({ text }) => machinePath.test(text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  test("no file names a package registry's host", () => {
    const found = texts.filter(({ text }) => registryHost.test(text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  test("scripts that are run by name may be run", () => {
    for (const path of ["scripts/setup", "scripts/test-sanitize", ".ci/run", "bin/lrscope.js"])
      expect(statSync(join(root, path)).mode & 0o111, path).not.toBe(0);
  });
});
