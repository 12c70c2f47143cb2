/** @file Names in records that somebody wrote to lead elsewhere, or that no file system takes. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreError } from "../core/errors.ts";
import { derivedRecord, trialRecord } from "../record/index.ts";
import { replaceFile, sweepRun } from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lrscope-names-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("a name in a record", () => {
  test.each(["../../outside", "a/b", "a\\b", "", "x".repeat(256)])("is no path: %j", (slug) => {
    const issue = trialRecord.safeParse({ formatVersion: 1, slug }).error?.issues;
    expect(issue?.some(({ path }) => path[0] === "slug")).toBe(true);
    const derived = { formatVersion: 1, figures: [`${slug}/../experiment.json`] };
    expect(derivedRecord.safeParse(derived).success).toBe(false);
  });

  test.each(["sgd-clr-1e-2", "adam_x0.3162", "sgd~2"])("is one: %s", (slug) => {
    const issue = trialRecord.safeParse({ formatVersion: 1, slug }).error?.issues;
    expect(issue?.some(({ path }) => path[0] === "slug")).toBe(false);
  });
});

test("a file whose name is too long is refused as such", () => {
  const file = join(root, `${"x".repeat(300)}`);
  expect(() => replaceFile(file, "text")).toThrow(StoreError);
  expect(() => replaceFile(file, "text")).toThrow("the name is too long");
});

describe("sweeping a run directory", () => {
  const file = (name: string) => {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), "");
    return name;
  };
  const has = (name: string) => existsSync(join(root, name));

  test("takes away what killed processes left, in every folder, and nothing else", () => {
    const left = [
      ".experiment.json.4711.tmp",
      ".lock.4711.0a1b2c3d.tmp.dead",
      "figures/.classes.svg.4711.tmp",
      "tensorboard/adam-0/.events.out.4711.tmp",
      "range-tests/.sgd.json.4711.tmp",
      "range-tests/sgd.log",
      "trials/adam-0/.trial.json.4711.tmp",
      "trials/adam-0/checkpoints/epoch-000001.json",
      "trials/adam-0/lock",
    ].map(file);
    mkdirSync(join(root, ".probe-aB3xYz"));
    const kept = [
      "range-tests/sgd.json",
      "range-tests/adam.log",
      "figures/classes.svg",
      "figures/.hidden",
      "trials/adam-0/trial.json",
      "trials/sgd-0/checkpoints/epoch-000001.json",
      ".probe-fuller/mine.txt",
    ].map(file);
    sweepRun(root, new Set(["adam-0"]));
    expect(left.filter(has)).toEqual([]);
    expect(kept.filter((name) => !has(name))).toEqual([]);
    expect(has(".probe-aB3xYz")).toBe(false);
  });

  test("leaves a link's target alone", () => {
    const outside = mkdtempSync(join(tmpdir(), "lrscope-outside-"));
    writeFileSync(join(outside, ".mine.1.tmp"), "");
    symlinkSync(outside, join(root, "figures"));
    sweepRun(root, new Set());
    expect(existsSync(join(outside, ".mine.1.tmp"))).toBe(true);
    rmSync(outside, { recursive: true });
  });
});
