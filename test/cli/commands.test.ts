/** @file demo, explain and bench step, each run once with little to do. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_ARMS } from "../../src/arms/default-arms.ts";
import type { SummaryRecord } from "../../src/record/index.ts";
import { readRun } from "../../src/store/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  test("demo: a range test, the default arms, a table and a report", async () => {
    const out = within("demo");
    const flags = ["--seeds", "1", "--epochs", "1", "--threads", "1", "--out", out];
    const { code, stdout, stderr } = await cli(["demo", ...flags]);
    expect(code).toBe(0);
    expect(stderr).toContain("mnist: 2,000 images at 28x28 in 10 classes");
    for (const arm of DEFAULT_ARMS)
      expect(stdout).toMatch(new RegExp(`^${arm.replace("+", "\\+")} .*\\d%`, "m"));
    expect(stdout).toContain(`Report:  ${join(out, "report.html")}`);
    const { experiment, rangeTests, trials, summary } = readRun(out);
    expect(experiment.kind).toBe("demo");
    expect(rangeTests.map(({ arm }) => arm)).toEqual(["sgd+clr"]);
    expect(trials.map(({ trial }) => trial.status)).toEqual(DEFAULT_ARMS.map(() => "done"));
    expect((summary as SummaryRecord).optimizers.map(({ name }) => name)).toEqual(DEFAULT_ARMS);
    expect(existsSync(join(out, "figures/accuracy-validation.svg"))).toBe(true);
  }, 240_000);

  const tiny = ["--size", "16", "--batch", "4", "--threads", "1"];

  test("explain: instructions and buffers, as text and as JSON", async () => {
    const call = ["explain", ...tiny, "--classes", "7", "--optimizer", "adam"];
    const text = await cli(call);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("network               vanilla, input [3, 16, 16], 7 classes");
    expect(text.stdout).toContain("program train, batch 4");
    const { instructions, parameters, memory } = (await cli([...call, "--json"])).json<{
      instructions: { kind: string; layer: string }[];
      parameters: number;
      memory: { arenaBytes: number; lowerBoundBytes: number };
    }>();
    expect(instructions[0]).toMatchObject({ kind: "conv2dNormPoolTrain", layer: "features.1" });
    expect(instructions.at(-1)).toMatchObject({ kind: "optimizer" });
    // Convolutions 3-32-64-128-128 with biases, batch norms, 128 -> 512 -> 7.
    const convolutions = [
      [3, 32],
      [32, 64],
      [64, 128],
      [128, 128],
    ].reduce((sum, [from, to]) => sum + 9 * from! * to! + 3 * to!, 0);
    expect(parameters).toBe(convolutions + 128 * 512 + 512 + 512 * 7 + 7);
    expect(memory.arenaBytes).toBeGreaterThanOrEqual(memory.lowerBoundBytes);
  });

  test("explain --profile: as text, JSON, figure and trace", async () => {
    const [figure, trace] = [within("step.svg"), within("step.json")];
    const call = ["explain", ...tiny, "--profile", "--steps", "2"];
    const text = await cli([...call, "--figure", figure, "--trace", trace]);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("train step of ");
    expect(text.stdout).toMatch(/^update by sgd +[\d.]+ +[\d.]+%/m);
    expect(text.stdout).toMatch(/^waits for +(memory|arithmetic|start) \d/m);
    expect(text.stderr).toContain(`traced into ${trace}`);
    expect(readFileSync(figure, "utf8")).toContain("Where a step of ");
    const { traceEvents } = JSON.parse(readFileSync(trace, "utf8"));
    const json = (await cli([...call, "--json"])).json<{
      profile: { steps: number; instructions: unknown[] };
      instructions: unknown[];
    }>();
    expect(json.profile.steps).toBe(2);
    expect(json.profile.instructions).toHaveLength(json.instructions.length);
    const spans = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
    expect(spans).toHaveLength(2 * (1 + 3 + json.instructions.length));
  });

  test.each(["--figure", "--trace", "--steps"])("%s without a profile is refused", async (flag) => {
    const { code, stderr } = await cli(["explain", ...tiny, flag, "3"]);
    expect(code).toBe(2);
    expect(stderr).toBe(`lrscope: ${flag} is of a profile; give --profile too\n`);
  });

  test("bench step: the fields that others rely on", async () => {
    const call = [
      "bench",
      "step",
      ...tiny,
      "--repetitions",
      "5",
      "--no-peers",
      "--no-limit",
      "--json",
    ];
    const result = await cli(call);
    expect(result.code).toBe(0);
    const record = result.json<Record<string, number>>();
    expect(record).toMatchObject({ model: "vanilla", batch: 4, size: 16, threads: 1, peers: [] });
    expect(record.minMs).toBeLessThanOrEqual(record.medianMs!);
    expect(record.medianMs).toBeLessThanOrEqual(record.maxMs!);
    expect(record.imagesPerSecond).toBeCloseTo(4000 / record.medianMs!, 6);
    expect(record).toHaveProperty("limitMs");
    expect(record.peakMemoryMiB).toBeGreaterThan(0);
  });
});
