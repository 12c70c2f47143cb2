/** @file Arms that end at rungs, and budgets, with each trial in its process: records, resumption, what is said. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { summaryRecord } from "../../src/record/index.ts";
import { readDecisions, readRecord, readRun } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const arms = ["--optimizers", "adam@1e-2,sgd@1e-12,adam@1e-12"];
  const call = (path: string, ...flags: string[]) =>
    cli([
      ...["compare", ...TINY_FLAGS, "--seeds", "2", "--no-samples"],
      // Of each run one.
      ...["--threads", flags.includes("--jobs") ? "2" : "1"],
      // A run that is to be stopped after its first epoch goes on until its process hears of it.
      ...["--epochs", flags.includes("--max-hours") ? "12" : "4"],
      ...[...arms, "--out", path, ...flags],
    ]);
  const halving = ["--prune", "halving", "--grace", "2", "--finalists", "1"];
  const weights = (path: string, name: string) =>
    readFileSync(join(path, "trials", name, "last.safetensors"));
  const flat = (text: string) => text.replaceAll(/\s+/g, " ");

  /** The second test goes on with what the first has run. */
  const halved = () => within("halving");

  test("halving: two arms of three end at the rung, however many runs go on at a time", async () => {
    const [path, other] = [halved(), within("jobs")];
    const { code, stdout, stderr } = await call(path, ...halving);
    expect(code).toBe(0);
    expect(stderr).toContain("rung 1 (epoch 2): adam@1e-2 goes on: its mean accuracy");
    const pruned = readRun(path).trials.filter(({ trial }) => trial.arm !== "adam@1e-2");
    for (const { trial, metrics } of pruned) {
      expect(trial).toMatchObject({ status: "pruned", endedBy: "pruned", rung: 1 });
      expect(metrics).toHaveLength(2);
    }
    const summary = readRecord(join(path, "summary.json"), summaryRecord);
    expect(summary.pruning?.rungs).toEqual([
      { rung: 1, epoch: 2, entered: 3, pruned: ["sgd@1e-12", "adam@1e-12"] },
    ]);
    // They are not ranked as if they had finished.
    expect(summary.optimizers[1]!.finalValidationAccuracy.mean).toBeNull();
    const said =
      "sgd@1e-12 and adam@1e-12 were pruned at rung 1 (epoch 2): behind there, by all seeds together, which does not show where they would have ended.";
    expect(summary.conclusion).toContain(said);
    expect(flat(stdout)).toContain(said);
    expect(readFileSync(join(path, "report.html"), "utf8")).toContain(said);
    expect(existsSync(join(path, "trials", "sgd-1e-12-0", "checkpoints"))).toBe(true);

    // Several at a time come to the same decisions, byte for byte.
    await call(other, ...halving, "--jobs", "2");
    const log = (of: string) => readFileSync(join(of, "pruning.jsonl"), "utf8");
    expect(log(other)).toBe(log(path));
  });

  test("pruned arms go on to the bits of a run without pruning", async () => {
    const [path, whole] = [halved(), within("whole")];
    const decisions = readDecisions(path);
    const resumed = await cli(["compare", "--resume", path, "--prune", "none"]);
    expect(resumed.code).toBe(0);
    expect(readDecisions(path)).toEqual(decisions);
    expect(readRun(path).trials.every(({ trial }) => trial.status === "done")).toBe(true);
    await call(whole);
    for (const name of ["adam-1e-2-0", "sgd-1e-12-1", "adam-1e-12-0"])
      expect(weights(path, name).equals(weights(whole, name))).toBe(true);
    expect(existsSync(join(path, "trials", "sgd-1e-12-0", "checkpoints"))).toBe(false);
  });

  test("asha lets arms go on without waiting, and leaves what it decided on the record", async () => {
    const path = within("asha");
    const { code } = await call(path, "--prune", "asha", "--grace", "1", "--finalists", "1");
    expect(code).toBe(0);
    const decisions = readDecisions(path);
    const ends = decisions.filter(({ decision }) => decision === "pruned").map(({ arm }) => arm);
    const statuses = readRun(path).trials.map(({ trial }) => [trial.arm, trial.status]);
    for (const [arm, status] of statuses)
      expect(status).toBe(ends.includes(arm!) ? "pruned" : "done");
    expect(decisions.every(({ seeds }) => seeds.length === 2)).toBe(true);
  });

  test("a budget of trials is spent on whole seeds, is said, and can be raised", async () => {
    const path = within("trials");
    const { code, stderr } = await call(path, "--max-trials", "5");
    expect(code).toBe(0);
    expect(flat(stderr)).toContain(
      "budget reached: 3 of at most 5 runs begun (--max-trials); 3 runs not at their end",
    );
    expect(stderr).toContain(`--resume ${path} --max-trials 10`);
    expect(readRun(path).trials.map(({ trial }) => trial.seed)).toEqual([0, 0, 0]);
    expect((await cli(["runs", path])).stdout).toContain("budget reached");
    const more = await cli(["compare", "--resume", path, "--max-trials", "6"]);
    expect(more.code).toBe(0);
    expect(more.stderr).not.toContain("budget reached");
    expect(readRun(path).trials).toHaveLength(6);
  });

  test("a budget of worker-hours stops runs at their checkpoints", async () => {
    const path = within("hours");
    const { code, stderr } = await call(path, "--max-hours", "1e-9");
    expect(code).toBe(0);
    expect(flat(stderr)).toContain("worker-hours used (--max-hours)");
    const { trials } = readRun(path);
    expect(trials.some(({ trial }) => trial.status === "done")).toBe(false);
    expect((await cli(["compare", "--resume", path, "--max-hours", "1"])).code).toBe(0);
    expect(readRun(path).trials.every(({ trial }) => trial.status === "done")).toBe(true);
    // By its first epoch alone it was spent.
    expect(trials.some(({ metrics }) => metrics.length > 0)).toBe(true);
  });

  test.each([
    [["--reduction", "2"], "--reduction has no effect without --prune"],
    [["--prune", "median", "--reduction", "2"], "--reduction has no effect with --prune median"],
    [["--prune", "third"], "must be one of halving, asha, median, none"],
    [["--prune", "halving", "--sensitivity", "3"], "do not go together"],
  ])("refuses %o", async (flags, message) => {
    const { code, stderr } = await call(within("refused"), ...flags);
    expect(code).toBe(2);
    expect(flat(stderr)).toContain(message);
  });
});
