/** @file Hashes of files, kept in the cache: used while a file is the same, and never after it may have changed. */

import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFileHashes } from "../../src/datasets/cache/file-hashes.ts";
import { type FolderFiles, hashFiles } from "../../src/datasets/sources/folder-hash.ts";
import { temporaryFolder, writeTree } from "./fixtures.ts";

/** An hour from now, when all that a test writes has settled. */
const later = () => Date.now() + 3_600_000;

const files = ["cat/1.jpg", "dog/1.jpg", "dog/2.jpg"];

function folder() {
  const root = writeTree({ "cat/1.jpg": "one", "dog/1.jpg": "two", "dog/2.jpg": "three" });
  return { root, cacheDir: temporaryFolder() };
}

const described = (root: string): FolderFiles => ({
  ...{ root, name: "pets", files },
  ...{ unreadable: new Map(), digests: new Map(), several: new Set() },
});

const hash = (root: string, cacheDir: string | undefined, now = later) =>
  hashFiles(described(root), Int32Array.of(0, 1, 2), { cacheDir, now });

/** Puts a digest in the place of a file's own, which shows in the fingerprint where the cache is asked. */
async function plant(root: string, cacheDir: string, file: string) {
  const hashes = openFileHashes(root, { cacheDir, now: later });
  const status = statSync(join(root, file), { bigint: true });
  hashes.add(file, status, { digest: "planted", size: Number(status.size), isSeveral: false });
  await hashes.write(files);
}

const fileIn = (cacheDir: string) => {
  const [name] = readdirSync(join(cacheDir, "hashes"));
  return join(cacheDir, "hashes", name!);
};

describe("a file that is what it was", () => {
  test("is not read again", async () => {
    const { root, cacheDir } = folder();
    const true_ = await hash(root, undefined);
    expect(await hash(root, cacheDir)).toBe(true_);
    expect(await hash(root, cacheDir)).toBe(true_);
    await plant(root, cacheDir, "dog/1.jpg");
    expect(await hash(root, cacheDir)).not.toBe(true_);
  });

  test("keeps what else was found out by reading it", async () => {
    const root = writeTree({
      "cat/1.jpg": "one",
      "dog/1.jpg": "two",
      "dog/2.jpg": "\0\0\0\0ftypavis",
    });
    const cacheDir = temporaryFolder();
    const [first, second] = [described(root), described(root)];
    for (const each of [first, second])
      await hashFiles(each, Int32Array.of(0, 1, 2), { cacheDir, now: later });
    expect([...first.several]).toEqual([2]);
    expect(second.several).toEqual(first.several);
    expect(second.digests).toEqual(first.digests);
  });

  test("is kept two seconds after its last change, as one before might not show", async () => {
    const { root, cacheDir } = folder();
    const changed = files.map((file) => statSync(join(root, file)).ctimeMs);
    const newest = Math.floor(Math.max(...changed));
    await hash(root, cacheDir, () => Math.floor(Math.min(...changed)) + 1999);
    expect(readdirSync(cacheDir)).toEqual([]);
    await hash(root, cacheDir, () => newest + 2000);
    expect(readdirSync(cacheDir)).toEqual(["hashes"]);
  });
});

describe("a file that changed is read", () => {
  const changes: Record<string, (path: string) => void> = {
    "other content of the same length": (path) => writeFileSync(path, "TWO"),
    "and its time set back": (path) => {
      const { atime, mtime } = statSync(path);
      writeFileSync(path, "TWO");
      utimesSync(path, atime, mtime);
    },
    "another file under its name": (path) => {
      writeFileSync(`${path}.new`, "TWO");
      renameSync(`${path}.new`, path);
    },
    "other permissions": (path) => chmodSync(path, 0o600),
  };
  test.each(Object.keys(changes))("%s", async (what) => {
    const { root, cacheDir } = folder();
    await hash(root, cacheDir);
    await plant(root, cacheDir, "dog/1.jpg");
    changes[what]!(join(root, "dog/1.jpg"));
    expect(await hash(root, cacheDir)).toBe(await hash(root, undefined));
  });

  test("a file that is gone is unreadable, and a folder in its place too", async () => {
    const { root, cacheDir } = folder();
    await hash(root, cacheDir);
    for (const replace of [() => undefined, () => mkdirSync(join(root, "dog/1.jpg"))]) {
      rmSync(join(root, "dog/1.jpg"), { recursive: true, force: true });
      replace();
      const seen = described(root);
      await hashFiles(seen, Int32Array.of(0, 1, 2), { cacheDir, now: later });
      expect([...seen.unreadable.keys()]).toEqual([1]);
    }
  });
});

describe("the cache's file", () => {
  test("counts as none where a bit of it is another", async () => {
    const { root, cacheDir } = folder();
    const true_ = await hash(root, cacheDir);
    await plant(root, cacheDir, "dog/1.jpg");
    const place = fileIn(cacheDir);
    const whole = readFileSync(place);
    for (const at of [0, 70, whole.length - 10]) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 1;
      writeFileSync(place, damaged);
      expect(await hash(root, cacheDir)).toBe(true_);
      writeFileSync(place, whole);
    }
    writeFileSync(place, whole);
    expect(await hash(root, cacheDir)).not.toBe(true_);
  });

  test("forgets files that the folder has no more", async () => {
    const { root, cacheDir } = folder();
    await hash(root, cacheDir);
    rmSync(join(root, "cat/1.jpg"));
    const rest = { ...described(root), files: files.slice(1) };
    writeFileSync(join(root, "dog/2.jpg"), "four");
    await hashFiles(rest, Int32Array.of(0, 1), { cacheDir, now: later });
    const text = readFileSync(fileIn(cacheDir), "utf8");
    expect(text).toContain("dog/1.jpg");
    expect(text).not.toContain("cat/1.jpg");
  });

  test("keeps the others' where some of the files are asked for", async () => {
    const { root, cacheDir } = folder();
    await hash(root, cacheDir);
    writeFileSync(join(root, "cat/1.jpg"), "ONE");
    await hashFiles(described(root), Int32Array.of(0), { cacheDir, now: later });
    const text = readFileSync(fileIn(cacheDir), "utf8");
    for (const file of files) expect(text).toContain(file);
  });

  test("need not be writable", async () => {
    const { root, cacheDir } = folder();
    writeFileSync(join(cacheDir, "hashes"), "a file in the folder's place");
    expect(await hash(root, cacheDir)).toBe(await hash(root, undefined));
  });
});
