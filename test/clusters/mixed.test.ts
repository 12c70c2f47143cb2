/**
 * @file A worker whose engine computes otherwise: it gets no run, unless it is said that it may; then records and
 * report name it, and nothing is said of seconds.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { summaryRecord } from "../../src/record/index.ts";
import { readRecord, readRun } from "../../src/store/index.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { commands, ended, PATIENCE, until } from "./commands.ts";
import { OTHER_PROCESSOR } from "./other-processor.ts";
import { redisAbsent, startedRedis } from "./redis-server.ts";

const absent = engineAbsent() ?? redisAbsent();

describe.skipIf(absent)(`with Redis${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const { run, end } = commands();
  const redis = startedRedis(within, end);

  test("a worker that differs gets no run, and with --mixed it does", {
    timeout: PATIENCE,
  }, async () => {
    const path = within("run");
    const flags = [
      ...[...TINY_FLAGS, "--optimizers", "adam,sgd@1e-2", "--seeds", "2", "--epochs", "2"],
      ...["--threads", "1", "--no-samples", "--out", path],
    ];
    const worker = run(["worker", redis().url, "--jobs", "2"], { env: OTHER_PROCESSOR });
    const refused = run(["compare", ...flags, "--executor", redis().url]);
    const isRefused =
      /gets no run: .*so that its results would be others; begin the study with --mixed/;
    await until("it is refused", () => isRefused.test(refused.said().replaceAll(/\s+/g, " ")));
    expect(worker.said().replaceAll(/\s+/g, " ")).toMatch(/takes no runs of run: .*--mixed/);
    refused.kill("SIGINT");
    expect(await ended(refused)).toBe(130);
    expect(existsSync(join(path, "trials"))).toBe(false);

    const mixed = run(["compare", "--resume", path, "--executor", redis().url, "--mixed"]);
    expect([await ended(mixed), mixed.said()]).toEqual([0, expect.any(String)]);
    const { experiment, trials } = readRun(path);
    const summary = readRecord(join(path, "summary.json"), summaryRecord);
    const [other, ...rest] = summary.machines ?? [];
    expect(rest).toEqual([]);
    expect(other).toMatchObject({ processor: experiment.machine.processor, trials: 4, threads: 1 });
    expect(other?.engine).not.toBe(experiment.engine);
    for (const { trial } of trials)
      expect(trial).toMatchObject({ status: "done", machines: [{ engine: other?.engine }] });
    for (const arm of summary.optimizers) expect(arm.msPerStep).toBeNull();
    expect(summary.conclusion).toContain("(--mixed)");
    const report = readFileSync(join(path, "report.html"), "utf8");
    expect(report).toContain(other?.engine);
    expect(report).not.toContain("ms/step");
    worker.kill("SIGTERM");
  });
});
