import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreError } from "../core/errors.ts";
import {
  openRegularFile,
  openRegularHandle,
  readRegularFile,
  sizeOfRegularFile,
} from "./regular-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-regular-"));
  path = join(folder, "x");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a file, through a link too", async () => {
  writeFileSync(path, "hello");
  symlinkSync(path, join(folder, "link"));
  for (const name of [path, join(folder, "link")]) {
    expect(readRegularFile(name)!.toString()).toBe("hello");
    expect(sizeOfRegularFile(name)).toBe(5);
    closeSync(openRegularFile(name)!);
    const handle = (await openRegularHandle(name))!;
    expect(await handle.readFile("utf8")).toBe("hello");
    await handle.close();
  }
});

test("nothing, a link to nothing, a link to itself", async () => {
  symlinkSync(join(folder, "absent"), join(folder, "dangling"));
  symlinkSync(join(folder, "loop"), join(folder, "loop"));
  for (const name of ["x", "dangling", "loop"].map((name) => join(folder, name))) {
    expect(openRegularFile(name)).toBeNull();
    expect(readRegularFile(name)).toBeNull();
    expect(sizeOfRegularFile(name)).toBeNull();
    expect(await openRegularHandle(name)).toBeNull();
  }
});

test.each(["a folder", "a FIFO", "a socket", "a device"])("%s is named at once", async (kind) => {
  let device: string | undefined;
  if (kind === "a folder") mkdirSync(path);
  else if (kind === "a FIFO") execFileSync("mkfifo", [path]);
  else if (kind === "a device") device = "/dev/null";
  const server = createServer();
  if (kind === "a socket") await new Promise<void>((ready) => server.listen(path, () => ready()));
  try {
    const name = device ?? path;
    const named = `${name}: is ${kind}, where a file should be; remove it and run again`;
    for (const use of [openRegularFile, readRegularFile, sizeOfRegularFile])
      expect(() => use(name)).toThrow(new StoreError(named, { exitCode: 2 }));
    await expect(openRegularHandle(name)).rejects.toThrow(named);
  } finally {
    server.close();
  }
});
