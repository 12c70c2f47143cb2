/** @file A range test that cannot say: what find prints, who refuses to go on from it, and that a forced run says so. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RangeTestRecord } from "../../src/record/index.ts";
import { readRun } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const call = [...TINY_FLAGS, "--threads", "1", "--no-samples"];
  /** Eight updates of sixteen images are noise. */
  const short = ["--finder-updates", "8"];

  test("find says so in the terminal, in JSON and as the report's headline, with exit code 0", async () => {
    const out = within("find");
    const { code, stdout } = await cli(["find", ...call, "--updates", "8", "--out", out]);
    expect(code).toBe(0);
    expect(stdout).toContain("This range test cannot say which learning rate to train with.");
    expect(stdout).toContain("too flat to tell");
    expect(stdout).toMatch(/^Next: lrscope find synthetic /m);
    const record = JSON.parse(readFileSync(join(out, "range-test.json"), "utf8"));
    expect(record as RangeTestRecord).toMatchObject({
      suggestion: null,
      verdict: { kind: "too-flat", remedy: { updates: 200 } },
    });
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain(
      "<h1>This range test cannot say at which learning rate to train with sgd.</h1>",
    );
  });

  test.each([
    ["train", ["--schedule", "clr"]],
    ["compare", ["--optimizers", "adam,sgd+clr", "--seeds", "1"]],
  ])("%s trains nothing, names what to do, and leaves a report", async (name, flags) => {
    const out = within(name);
    const argv = [name, ...call, ...flags, ...short, "--epochs", "1"];
    const { code, stderr } = await cli([...argv, "--out", out]);
    expect(code).toBe(1);
    expect(stderr).toContain("it cannot say which rate to train with (sgd+clr: too flat to tell");
    expect(stderr).toContain("Begin anew with --finder-updates 200");
    expect(stderr).toContain("or go on all the same with --force");
    expect(readRun(out).trials).toEqual([]);
    expect(existsSync(join(out, "report.html"))).toBe(true);
  });

  test("forced, it goes on from what it would have read; trial and report say so", async () => {
    const out = within("forced");
    const flags = ["--schedule", "clr", "--epochs", "1", "--force"];
    const { code } = await cli(["train", ...call, ...flags, ...short, "--out", out]);
    expect(code).toBe(0);
    const { trials, rangeTests, experiment } = readRun(out);
    const { unguarded } = rangeTests[0]!;
    expect(experiment.specification!.force).toBe(true);
    const { trial } = trials[0]!;
    expect(trial.schedule.max).toBe(unguarded!.peak.rate);
    expect(trial.learningRateSource).toMatch(/^forced: range test, peak, which cannot say \(too-/);
    const html = readFileSync(join(out, "report.html"), "utf8");
    expect(html).toContain("forced: range test, peak, which cannot say");
    expect(html).toContain("trials that went on from it were forced to");
  });
});
