/** @file Archives: hostile, broken, too large; and processes that die over them. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create, Header } from "tar";
import { describe, expect, test } from "vitest";
import { unpack } from "../../src/datasets/download/unpack.ts";
import { fetchSource } from "../../src/datasets/sources/open-source.ts";
import { archive, entry, failure, noise } from "./download-fixtures.ts";
import { temporaryFolder, writeTree } from "./fixtures.ts";

describe("an archive that is hostile or broken leaves nothing", () => {
  /** A tar of raw entries, for what tar itself would not write. */
  function rawTar(
    entries: { path: string; type: "File" | "SymbolicLink"; body?: string; linkpath?: string }[],
  ) {
    const blocks = entries.flatMap(({ path, type, body = "", linkpath }) => {
      const header = new Header({
        path,
        type,
        size: body.length,
        mode: 0o644,
        ...(linkpath && { linkpath }),
      });
      const block = Buffer.alloc(512);
      header.encode(block, 0);
      const data = Buffer.alloc(Math.ceil(body.length / 512) * 512);
      data.write(body);
      return [block, data];
    });
    return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
  }

  test.each([
    [
      "climbs out",
      [{ path: "photos/../../../evil.txt", type: "File" as const, body: "x" }],
      "photos/../../../evil.txt",
    ],
    ["is absolute", [{ path: "/evil.txt", type: "File" as const, body: "x" }], "/evil.txt"],
    [
      "links",
      [{ path: "photos/link", type: "SymbolicLink" as const, linkpath: "/etc" }],
      "photos/link",
    ],
  ])("a name that %s", async (_what, entries, named) => {
    const body = rawTar([{ path: "photos/a/1.jpg", type: "File", body: "fine" }, ...entries]);
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toContain(`refused, as it holds "${named}"`);
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
    expect(existsSync(join(cacheDir, "evil.txt"))).toBe(false);
  });

  test.each([
    ["bytes", { mostBytes: 99_999 }, "its files have more than 99999 bytes together"],
    ["entries", { mostEntries: 5 }, "it holds more than 5 entries"],
  ])("more %s than are allowed", async (_what, limit, reason) => {
    const file = join(writeTree({ "photos.tgz": await archive() }), "photos.tgz");
    const parent = temporaryFolder();
    const unpacked = unpack({
      archive: file,
      folder: "photos",
      destination: join(parent, "photos"),
      ...limit,
    });
    expect((await failure(unpacked)).message).toBe(`${file}: refused, as ${reason}`);
    expect(readdirSync(parent)).toEqual([]);
  });

  test("a file of zeros that a few bytes become", async () => {
    const header = Buffer.alloc(512);
    new Header({ path: "photos/a/1.jpg", type: "File", size: 2 ** 28, mode: 0o644 }).encode(header);
    const body = gzipSync(Buffer.concat([header, Buffer.alloc(2 ** 28 + 1024)]), { level: 9 });
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toMatch(/cannot be unpacked|refused/);
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
  });

  test("an archive without the folder", async () => {
    const body = rawTar([{ path: "pictures/a/1.jpg", type: "File", body: "fine" }]);
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "DOWNLOAD", exitCode: 1 });
    expect(error.message).toContain('holds no folder "photos"');
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
  });

  test.each(["sources/photos", "sources"])("a file as %s is named", async (name) => {
    const body = await archive();
    const cacheDir = writeTree({ "downloads/photos.tgz": body, [name]: "x" });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error).toMatchObject({ code: "STORE", exitCode: 2 });
    expect(error.message).toContain(join(cacheDir, name));
  });

  test("what a process killed while it unpacks leaves goes with the next one", async () => {
    const root = writeTree(
      Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`photos/a/${i}.jpg`, noise(9)])),
    );
    const file = join(temporaryFolder(), "photos.tgz");
    await create({ file, cwd: root, gzip: true }, ["photos"]);
    const parent = join(temporaryFolder(), "sources");
    const destination = join(parent, "photos");
    const child = new URL("killed-child.mjs", import.meta.url).pathname;
    const { signal } = spawnSync(process.execPath, [child, "unpack", file, destination]);
    expect(signal).toBe("SIGKILL");
    expect(readdirSync(parent)).toEqual([expect.stringMatching(/^photos\..*\.tmp$/)]);
    await unpack({ archive: file, folder: "photos", destination });
    expect(readdirSync(parent)).toEqual(["photos"]);
    expect(readdirSync(join(destination, "a"))).toHaveLength(400);
  });

  test("two that unpack the same archive at once both get it", async () => {
    const file = join(writeTree({ "photos.tgz": await archive() }), "photos.tgz");
    const parent = temporaryFolder();
    const destination = join(parent, "photos");
    await Promise.all([1, 2].map(() => unpack({ archive: file, folder: "photos", destination })));
    expect(readdirSync(parent)).toEqual(["photos"]);
    expect(readFileSync(join(destination, "a/1.jpg")).equals(noise(60_000))).toBe(true);
  });

  test("cut short", async () => {
    const whole = await archive();
    const body = whole.subarray(0, whole.length >> 1);
    const cacheDir = writeTree({ "downloads/photos.tgz": body });
    const error = await failure(fetchSource("photos", entry(body), { cacheDir }));
    expect(error.message).toContain("cannot be unpacked");
    expect(readdirSync(join(cacheDir, "sources"))).toEqual([]);
  });
});
