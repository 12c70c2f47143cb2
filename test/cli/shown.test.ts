/** @file What a call asks for beside its study: an estimate, less or more on the terminal, events, fewer weights. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inProcess, openStudy, runStudy } from "../../src/index.ts";
import { studyEvent } from "../../src/record/index.ts";
import { claimFolder, freeFolder } from "../../src/study/default-out.ts";
import { estimateStudy } from "../../src/study/planning/estimate-study.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { studyOfCall } from "./study-calls.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();

test("a default folder that is there gives way to the next name, and is never shared", () => {
  const path = within("lrscope-runs/train-x-20260131-101500");
  expect(freeFolder(path)).toBe(path);
  expect([claimFolder(path), claimFolder(path), claimFolder(path)]).toEqual([
    path,
    `${path}-2`,
    `${path}-3`,
  ]);
  for (const name of ["", "-2", "-3"]) expect(readdirSync(`${path}${name}`)).toEqual([]);
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const arms = ["--optimizers", "adam,sgd@0.1", "--seeds", "2", "--epochs", "2"];
  const call = ["compare", ...TINY_FLAGS, ...arms, "--threads", "1", "--no-samples"];
  const weightsIn = (path: string) =>
    (readdirSync(join(path, "trials"), { recursive: true }) as string[])
      .filter((name) => name.endsWith(".safetensors"))
      .sort();

  async function run(argv: readonly string[], out: string) {
    const { study, opening } = await studyOfCall(argv);
    const opened = await openStudy(study, { ...opening, out });
    try {
      const estimate = await estimateStudy(opened);
      const { failure } = await runStudy(opened, { executor: inProcess });
      expect(failure).toBeNull();
      return estimate;
    } finally {
      opened.close();
    }
  }

  test("an estimate counts what runs, and the bytes of the weights that stay", async () => {
    const out = within("counted");
    const estimate = await run(call, out);
    expect(estimate).toMatchObject({ trials: 4, epochs: 2, rangeTests: 0, jobs: 1 });
    expect(estimate.arms.map(({ optimizer }) => optimizer)).toEqual(["adam", "sgd"]);
    const bytes = weightsIn(out).reduce(
      (sum, name) => sum + statSync(join(out, "trials", name)).size,
      0,
    );
    // A file has a header of names, shapes and metadata besides.
    const headers = bytes - estimate.diskBytes;
    expect(headers).toBeGreaterThan(0);
    expect(headers).toBeLessThan(8 * 40_000);
    expect(estimate.mostDiskBytes).toBeGreaterThan(estimate.diskBytes);
    expect(estimate.memoryBytes).toBeGreaterThan(estimate.arms[0]!.lastBytes);
    expect(estimate.seconds).toBeGreaterThan(0);
  });

  test.each([
    ["best", ["best"]],
    ["last", ["last"]],
    ["none", []],
  ])("--keep %s leaves those weights, after they have been counted with", async (keep, left) => {
    const out = within(`keep-${keep}`);
    const one = [...call.slice(0, -1), "--no-samples", "--keep", keep];
    const estimate = await run(one, out);
    const trials = readdirSync(join(out, "trials"));
    expect(weightsIn(out)).toEqual(
      trials.flatMap((trial) => left.map((name) => `${trial}/${name}.safetensors`)).sort(),
    );
    expect(existsSync(join(out, "confusions.json"))).toBe(true);
    expect(estimate.diskBytes === 0).toBe(left.length === 0);
  });

  test("--dry-run says what would run, and runs nothing", async () => {
    const out = within("dry");
    const { code, stdout, stderr } = await cli([...call, "--dry-run", "--out", out]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/4 runs of 2 epochs, \d+ updates? each; 1 at a time, 1 core each/);
    expect(stdout).toMatch(/Step: +adam [\d.]+ ms, sgd [\d.]+ ms/);
    for (const word of ["Time:", "Disk:", "Memory:"]) expect(stdout).toContain(word);
    expect(existsSync(out)).toBe(false);
  });

  test("--dry-run counts with a budget of trials, and with arms that are pruned", async () => {
    const four = ["--optimizers", "adam,sgd,lion@1e-4,rmsprop@1e-3", "--epochs", "4"];
    const dry = [
      ...["compare", ...TINY_FLAGS, ...four],
      "--seeds",
      "2",
      "--threads",
      "1",
      "--dry-run",
    ];
    const budget = await cli([...dry, "--max-trials", "7", "--out", within("budget")]);
    expect(budget.stdout).toContain("4 runs of 4 epochs");
    const halving = ["--prune", "halving", "--grace", "2", "--reduction", "2", "--finalists", "1"];
    const pruned = await cli([...dry, ...halving, "--out", within("pruned")]);
    expect(pruned.stdout).toContain("8 runs of 4 epochs");
    expect(pruned.stdout).toMatch(/Rungs: +4 arms to epoch 2, 2 arms to epoch 4; which/);
    const json = JSON.parse(
      (await cli([...dry, ...halving, "--json", "--out", within("json")])).stdout,
    );
    expect(json.rungs).toEqual([
      { epoch: 2, arms: 4 },
      { epoch: 4, arms: 2 },
    ]);
  }, 120_000);

  test("--quiet prints the result alone; --events writes what the study says", async () => {
    const [out, events] = [within("quiet"), within("events.jsonl")];
    const asked = ["train", ...TINY_FLAGS, "--epochs", "1", "--threads", "1", "--no-samples"];
    const quiet = await cli([...asked, "--quiet", "--events", events, "--out", out]);
    expect([quiet.code, quiet.stderr]).toEqual([0, ""]);
    expect(quiet.stdout).toMatch(/^\nValidation accuracy: final/);
    const said = readFileSync(events, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => studyEvent.parse(JSON.parse(line)));
    const types = said.map(({ type }) => type);
    expect(types[0]).not.toBe("epoch");
    for (const type of ["dataset", "recording", "trial-started", "update", "epoch", "checkpoint"])
      expect(types).toContain(type);
    expect(types.at(-1)).not.toBe("update");
    const both = await cli([...asked, "--quiet", "--verbose", "--out", within("both")]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("contradict")]);
    const streamed = await cli([...asked, "--verbose", "--events", "-", "--out", within("stream")]);
    expect(streamed.code, streamed.stderr).toBe(0);
    for (const line of streamed.stdout.trimEnd().split("\n")) studyEvent.parse(JSON.parse(line));
    expect(streamed.stderr).toMatch(/plan of sgd, seed 0: .*GFLOP a step/);
    expect(streamed.stderr).toContain("checkpoint of sgd, seed 0, after epoch 1");

    // The same of a run that is gone on with.
    const longer = ["train", "--resume", out, "--epochs", "2"];
    const more = await cli([...longer, "--quiet", "--events", within("more.jsonl")]);
    expect([more.code, more.stderr]).toEqual([0, ""]);
    const later = readFileSync(within("more.jsonl"), "utf8").trimEnd().split("\n");
    expect(later.map((line) => studyEvent.parse(JSON.parse(line)).type)).toContain("resuming");
    const dry = await cli([...longer, "--dry-run"]);
    expect([dry.code, dry.stderr]).toEqual([2, expect.stringContaining("--dry-run has no effect")]);
  }, 300_000);
});

test("every help says the exit codes", async () => {
  for (const argv of [["--help"], ["train", "--help"], ["runs", "--help"]])
    expect((await cli(argv)).stdout).toContain("Exit codes: 0 done, 1 the work failed");
});
