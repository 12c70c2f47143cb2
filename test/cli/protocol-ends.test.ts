/** @file Options that end trials early, with each trial in its process: what they did is in records, summary and report. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rangeTestRecord, summaryRecord } from "../../src/record/index.ts";
import { readRecord, readRun } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const common = ["--seeds", "1", "--threads", "1", "--no-samples"];
  const runOf = (path: string) => {
    const { trials } = readRun(path);
    const html = readFileSync(join(path, "report.html"), "utf8");
    return { trials, html, summary: readRecord(join(path, "summary.json"), summaryRecord) };
  };
  const bestOf = (metrics: readonly { validationAccuracy: number | null }[]) =>
    Math.max(...metrics.map(({ validationAccuracy }) => validationAccuracy ?? 0));

  test("--prune: the arm below the median of the others ends there, and says so", async () => {
    const path = within("pruned");
    // At a rate of 1e-12 nothing is learned.
    const arms = ["--optimizers", "adam,adamw,sgd@1e-12"];
    const { code, stdout } = await cli([
      ...["compare", ...TINY_FLAGS, ...common, ...arms, "--epochs", "8", "--prune", "6"],
      ...["--out", path],
    ]);
    expect(code).toBe(0);
    const { trials, html, summary } = runOf(path);
    const by = (arm: string) => trials.find(({ trial }) => trial.arm === arm)!;
    const pruned = by("sgd@1e-12");
    expect(pruned.trial).toMatchObject({ status: "pruned", endedBy: "pruned" });
    // From the sixth epoch on, at the first that was below; the others had come to their end by then.
    expect(pruned.metrics).toHaveLength(6);
    const others = ["adam", "adamw"].map((arm) => bestOf(by(arm).metrics.slice(0, 6)));
    expect(bestOf(pruned.metrics)).toBeLessThan((others[0]! + others[1]!) / 2);
    expect(by("adam").trial.status).toBe("done");
    expect(summary.optimizers.find(({ name }) => name === "sgd@1e-12")).toMatchObject({
      pruned: 1,
    });
    const note =
      "Median pruning was on from epoch 6 (a trial ends whose best accuracy is below the median of the others of its seed); it ended 1 of 3 trials: sgd@1e-12, seed 0, after 6 epochs.";
    expect(summary.notes).toEqual([note]);
    expect(summary.conclusion).toContain("sgd@1e-12 was pruned on its only seed.");
    expect(html.includes(note)).toBe(true);
    expect(stdout.replaceAll("\n", " ")).toContain(`Note: ${note}`);
  });

  test("--early-stopping: ends after so many validations without a better accuracy", async () => {
    const path = within("stopped");
    const arms = ["--optimizers", "adam,sgd@1e-12"];
    const { code } = await cli([
      ...["compare", ...TINY_FLAGS, ...common, ...arms, "--epochs", "20", "--early-stopping", "2"],
      ...["--test", "0.2", "--out", path],
    ]);
    expect(code).toBe(0);
    const { trials, html, summary } = runOf(path);
    const { trial, metrics } = trials.find((entry) => entry.trial.arm === "sgd@1e-12")!;
    expect(trial).toMatchObject({ status: "done", endedBy: "early stopping" });
    const last = metrics.slice(-2).map(({ validationAccuracy }) => validationAccuracy!);
    expect(Math.max(...last)).toBeLessThanOrEqual(bestOf(metrics.slice(0, -2)));
    const ended = trials.filter((entry) => entry.trial.endedBy === "early stopping").length;
    expect(summary.notes).toEqual([
      expect.stringContaining(
        `Early stopping was on, after 2 validations without a better accuracy; it ended ${ended} of 2 trials: `,
      ),
      expect.stringContaining("20.0% of each class was kept untouched"),
    ]);
    for (const note of summary.notes!) expect(html.includes(note)).toBe(true);
  });

  test("--rule and --ramp of a comparison's range tests are used, recorded, and refused where idle", async () => {
    const path = within("ruled");
    const { code } = await cli([
      ...["compare", "synthetic", "--size", "16", "--limit", "20", "--batch", "2", ...common],
      ...[
        "--optimizers",
        "sgd+clr,adam",
        "--epochs",
        "1",
        "--rule",
        "slide",
        "--ramp",
        "linear",
        "--from",
        "1e-3",
        "--to",
        "1",
        "--published",
        "--out",
        path,
      ],
    ]);
    expect(code).toBe(0);
    const record = readRecord(join(path, "range-tests/sgd-clr.json"), rangeTestRecord);
    expect(record).toMatchObject({ ramp: "linear", suggestion: { peak: { rule: "slide" } } });
    const { trials, html } = runOf(path);
    expect(readRun(path).experiment.protocol).toMatchObject({ ramp: "linear", rule: "slide" });
    const clr = trials.find(({ trial }) => trial.arm === "sgd+clr")!.trial;
    expect(clr.learningRateSource).toContain("range test by slide: ");
    expect(clr.schedule.max).toBe(record.suggestion!.peak.rate);
    expect(html).toContain("--ramp linear --rule slide");

    const idle = [...["compare", ...TINY_FLAGS, ...common, "--optimizers", "adam"], "--out", "x"];
    for (const flag of [
      ["--rule", "valley"],
      ["--ramp", "linear"],
    ])
      expect((await cli([...idle, ...flag])).stderr).toContain(
        `compare: ${flag[0]} has no effect here: no range test is made`,
      );
  });
});
