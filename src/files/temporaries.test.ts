import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { thisProcess } from "./process-identity.ts";
import { sweepTemporaries, temporaryFor } from "./temporaries.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-temporaries-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A name as `temporaryFor` gives it to a process of the same machine that has ended. */
function ofDeadProcess(name: string): string {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  return temporaryFor(join(folder, name)).replace(`-${process.pid}-`, `-${pid}-`);
}

const longAgo = (path: string) => utimesSync(path, 1e9, 1e9);

test("names are new each time, beside the file", () => {
  const [a, b] = [temporaryFor(join(folder, "x")), temporaryFor(join(folder, "x"))];
  expect(a).not.toBe(b);
  expect(a.startsWith(`${join(folder, "x")}.`)).toBe(true);
});

test("what a process of this machine that has ended left goes at once, files and folders", async () => {
  writeFileSync(ofDeadProcess("x.images"), "half");
  mkdirSync(join(ofDeadProcess("flowers"), "a"), { recursive: true });
  await sweepTemporaries(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test("a process that began at another time under the same number is another one", async () => {
  const { started } = thisProcess();
  if (started === null) return;
  writeFileSync(temporaryFor(join(folder, "x")).replace(`-${started}.`, "-1."), "half");
  await sweepTemporaries(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test("what living processes write stays, and so does what may be written elsewhere", async () => {
  const own = temporaryFor(join(folder, "x"));
  const elsewhere = ofDeadProcess("y").replace(/\.[0-9a-f]{12}-/, ".0123456789ab-");
  for (const path of [own, elsewhere]) writeFileSync(path, "half");
  await sweepTemporaries(folder);
  expect(existsSync(own)).toBe(true);
  expect(existsSync(elsewhere)).toBe(true);
  longAgo(elsewhere);
  await sweepTemporaries(folder);
  expect(existsSync(elsewhere)).toBe(false);
});

test("what lrscope 0.1 left goes after a day", async () => {
  const names = ["x.images.77.0123abcd.tmp", "y.json.4711.tmp", ".flowers-aB3dEf"];
  for (const name of names) writeFileSync(join(folder, name), "half");
  await sweepTemporaries(folder);
  expect(readdirSync(folder)).toHaveLength(3);
  for (const name of names) longAgo(join(folder, name));
  await sweepTemporaries(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test("everything else stays, however old, and links are not followed", async () => {
  const target = join(folder, "target");
  mkdirSync(target);
  writeFileSync(join(target, "photo.jpg"), "x");
  for (const name of ["x.images", "notes.tmp", ".hidden", "a-123.tmp.txt"]) {
    writeFileSync(join(folder, name), "x");
    longAgo(join(folder, name));
  }
  symlinkSync(target, ofDeadProcess("link"));
  await sweepTemporaries(folder);
  expect(readdirSync(folder).sort()).toEqual(
    [".hidden", "a-123.tmp.txt", "notes.tmp", "target", "x.images"].sort(),
  );
  expect(existsSync(join(target, "photo.jpg"))).toBe(true);
});

test("a folder that is not there is none of its business", async () => {
  await sweepTemporaries(join(folder, "absent"));
});
