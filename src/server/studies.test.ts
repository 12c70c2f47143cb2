import * as fs from "node:fs";
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeComparison } from "../../test/report/fake-records.ts";
import { writeRun } from "../../test/server/records.ts";
import { acquireLease } from "../store/index.ts";
import { annotateRun } from "../study/runs/index.ts";
import { studiesIn, studyId } from "./studies.ts";

const input = fakeComparison({ arms: ["adam"], seeds: 2, epochs: 3 });
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-studies-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Long enough ago for a folder's time to tell it from what is done to it now. */
const PAST = new Date(Date.now() - 60_000);
const age = (...paths: readonly string[]) => {
  for (const path of paths) utimesSync(path, PAST, PAST);
};
const names = (studies: ReturnType<typeof studiesIn>) => studies.list().map(({ name }) => name);

test("a study that comes, at whatever depth, is listed at once; one that goes is not", () => {
  const studies = studiesIn([folder, join(folder, "later")]);
  expect(names(studies)).toEqual([]);
  mkdirSync(join(folder, "group", "deep"), { recursive: true });
  age(folder, join(folder, "group"), join(folder, "group", "deep"));
  expect(names(studies)).toEqual([]);
  writeRun(join(folder, "group", "deep", "a"), input);
  expect(names(studies)).toEqual(["a"]);
  writeRun(join(folder, "b"), input);
  expect(names(studies).sort()).toEqual(["a", "b"]);
  rmSync(join(folder, "b"), { recursive: true });
  expect(names(studies)).toEqual(["a"]);
  const id = studyId(join(folder, "group", "deep", "a"));
  expect(studies.pathOf(id)).toBe(join(folder, "group", "deep", "a"));
  rmSync(join(folder, "group", "deep", "a"), { recursive: true });
  expect(studies.pathOf(id)).toBeNull();
});

test("a study at rest is not read again until its folder changes", async () => {
  const path = join(folder, "a");
  writeRun(path, input);
  age(path);
  const studies = studiesIn([folder]);
  const [first] = studies.list();
  // Whatever lrscope does to a study changes its folder; this does not, and is not looked for.
  const log = join(path, "trials", "adam-0", "metrics.jsonl");
  writeFileSync(log, "torn");
  expect(studies.list()[0]).toBe(first);
  const lease = await acquireLease(path);
  expect(studies.list()[0]?.status).toBe("running");
  lease.release();
  expect(studies.list()[0]).toMatchObject({
    status: expect.stringMatching(/^(finished|unfinished)$/),
  });
  expect(studies.list()[0]?.bytes).not.toBe(first?.bytes);
});

test("a note is seen at once, of a study at rest and of one at work", async () => {
  const path = join(folder, "a");
  writeRun(path, input);
  const studies = studiesIn([folder]);
  expect(studies.list()[0]?.note).toBe("");
  annotateRun(path, { note: "one" });
  expect(studies.list()[0]?.note).toBe("one");
  const lease = await acquireLease(path);
  studies.list();
  annotateRun(path, { note: "two", addTags: ["good"] });
  expect(studies.list()[0]).toMatchObject({ note: "two", tags: ["good"], status: "running" });
  lease.release();
});

test("a page's question after a study walks no folder", () => {
  writeRun(join(folder, "a"), input);
  for (const name of ["b", "c", "d"])
    cpSync(join(folder, "a"), join(folder, "x", name), { recursive: true });
  const studies = studiesIn([folder]);
  const id = studyId(join(folder, "a"));
  expect(studies.pathOf(id)).toBe(join(folder, "a"));
  // A walk would find nothing any more.
  fs.renameSync(join(folder, "x"), join(folder, ".x"));
  expect(studies.pathOf(id)).toBe(join(folder, "a"));
  expect(studies.pathOf("0123456789abcdef")).toBeNull();
  expect(names(studies)).toEqual(["a"]);
});
