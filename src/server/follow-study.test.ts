import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeComparison } from "../../test/report/fake-records.ts";
import { at } from "../core/at.ts";
import { createRunDirectory, type RunDirectory } from "../store/index.ts";
import { followStudy } from "./follow-study.ts";

const { experiment, trials } = fakeComparison({ arms: ["adam"], seeds: 1 });
const { trial, metrics } = at(trials, 0, "trials");
let folder = "";
let directory: RunDirectory;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "lrscope-follow-")), "run");
  directory = createRunDirectory(folder, experiment);
  directory.writeTrial({ ...trial, status: "running" });
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const file = () => join(folder, "trials", `${trial.slug}-${trial.seed}`, "metrics.jsonl");
const epochs = (study: ReturnType<typeof followStudy>) =>
  study.refresh().trials[0]?.metrics.map(({ epoch }) => epoch);

test("a line is one when its newline is there, at whatever byte it was torn", () => {
  const study = followStudy(folder);
  expect(epochs(study)).toEqual([]);
  const text = metrics
    .slice(0, 3)
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
  let whole = 0;
  for (const [i, byte] of [...Buffer.from(text)].entries()) {
    appendFileSync(file(), Buffer.from([byte]));
    if (byte === 0x0a) whole += 1;
    if (i % 7 === 0 || byte === 0x0a) expect(epochs(study)).toEqual([1, 2, 3].slice(0, whole));
  }
  expect(study.refresh().trials[0]?.metrics).toEqual(metrics.slice(0, 3));
});

test("a file that was cut back to a checkpoint is read anew", () => {
  for (const line of metrics.slice(0, 5)) directory.appendMetrics(trial.slug, trial.seed, line);
  const study = followStudy(folder);
  expect(epochs(study)).toEqual([1, 2, 3, 4, 5]);
  directory.restoreMetrics(trial.slug, trial.seed, metrics.slice(0, 2));
  expect(epochs(study)).toEqual([1, 2]);
  directory.writeTrial({ ...trial, status: "interrupted" });
  expect(study.refresh().trials[0]?.trial.status).toBe("interrupted");
});

test("a line that is no record is named", () => {
  const study = followStudy(folder);
  writeFileSync(file(), `${JSON.stringify(metrics[0])}\n{"epoch": "two"}\n`);
  expect(() => study.refresh()).toThrow(/metrics\.jsonl, line 2: is not a record of lrscope's/);
  writeFileSync(file(), readFileSync(file(), "utf8").split("\n")[0] ?? "");
  expect(epochs(study)).toEqual([]);
});
