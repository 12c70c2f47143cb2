/** @file `lrscope report`: records of one run, of several, and of runs that do not go together. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SummaryRecord } from "../../src/record/index.ts";
import type { ReportInput } from "../../src/report/index.ts";
import { createRunDirectory } from "../../src/store/index.ts";
import { joinConfusions } from "../../src/study/runs/join-runs.ts";
import { fakeComparison, fakeConfusions, fakeSamples } from "../report/fake-records.ts";
import { cli } from "./run-cli.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lrscope-report-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A run directory as compare leaves it, without its report. */
function write(name: string, { experiment, rangeTests, trials }: ReportInput): string {
  const path = join(root, name);
  const directory = createRunDirectory(path, experiment);
  for (const record of rangeTests) directory.writeRangeTest("sgd-clr", record);
  for (const { trial, metrics } of trials) {
    directory.writeTrial(trial);
    for (const line of metrics) directory.appendMetrics(trial.slug, trial.seed, line);
  }
  return path;
}

const fake = (arms: string[], diverged = {}, seeds = 2) =>
  fakeComparison({ epochs: 2, seeds, arms, diverged });

describe("one run", () => {
  test("report, figures and summary in the directory itself; the table on stdout", async () => {
    const path = write("run", fake(["sgd+clr", "adam"], {}, 3));
    const { code, stdout } = await cli(["report", path]);
    expect(code).toBe(0);
    expect(stdout).toContain("Accuracy on the validation images");
    expect(stdout).toMatch(/^adam +\d\d\.\d ± \d/m);
    expect(stdout).toMatch(/^adam +\+\d+\.\d +-\d+\.\d to \+\d+\.\d +0\.\d+ +0\.25 +3 /m);
    expect(stdout.replaceAll("\n", " ")).toContain("The difference may be chance: p = ");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(
      Math.max(80, `Report:  ${join(path, "report.html")}`.length),
    );
    expect(stdout).toContain(`Report:  ${join(path, "report.html")}`);
    expect(readFileSync(join(path, "report.html"), "utf8")).toMatch(/^<!doctype html>/i);
    expect(readdirSync(join(path, "figures")).every((name) => name.endsWith(".svg"))).toBe(true);
    const summary: SummaryRecord = JSON.parse(readFileSync(join(path, "summary.json"), "utf8"));
    expect(summary.optimizers.map(({ name }) => name)).toEqual(["sgd+clr", "adam"]);
  });

  test("metrics.csv always; targets, a profile and event files where asked for", async () => {
    const path = write("run", fake(["sgd+clr", "adam"]));
    await cli(["report", path, "--targets", "0.9,0.31", "--profile", "--tensorboard"]);
    const csv = readFileSync(join(path, "metrics.csv"), "utf8").trim().split("\n");
    expect(csv).toHaveLength(1 + 2 * 2 * 2);
    expect(csv[0]).toMatch(/^arm,seed,epoch,/);
    const summary: SummaryRecord = JSON.parse(readFileSync(join(path, "summary.json"), "utf8"));
    const [arm] = summary.optimizers;
    expect(arm!.timeToTarget!.map(({ target }) => target)).toEqual([0.31, 0.9]);
    expect(arm!.timeToTarget![1]).toMatchObject({ epochs: [null, null], reached: 0 });
    expect(summary.profile!.targets).toEqual([0.31, 0.9]);
    expect(readdirSync(join(path, "tensorboard"))).toContain("adam-1");
    const refused = await cli(["report", path, "--targets", "0.5,80"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--targets must be a number between 0 and 1; got "80"');
  });

  test("elsewhere with --out; the directory stays as it was", async () => {
    const path = write("run", fake(["adam"]));
    const before = readdirSync(path);
    const out = join(root, "elsewhere");
    const { report } = (await cli(["report", path, "--out", out, "--json"])).json();
    expect(report).toBe(join(out, "report.html"));
    expect(existsSync(join(out, "report.html"))).toBe(true);
    expect(readdirSync(path)).toEqual(before);
  });

  test("the samples that the run kept are in it, and --no-samples leaves them out", async () => {
    const path = write("run", fake(["adam"]));
    const samples = fakeSamples();
    writeFileSync(join(path, "samples.json"), JSON.stringify(samples));
    await cli(["report", path]);
    const html = () => readFileSync(join(path, "report.html"), "utf8");
    expect(html()).toContain(samples[0]!.original);
    await cli(["report", path, "--no-samples"]);
    expect(html()).not.toContain("data:image/");
  });

  test("--png adds each figure as PNG", async () => {
    const path = write("run", fake(["adam"]));
    expect((await cli(["report", path, "--png"])).code).toBe(0);
    const names = readdirSync(join(path, "figures"));
    const ending = (end: string) =>
      names
        .filter((name) => name.endsWith(end))
        .map((name) => name.slice(0, -end.length))
        .sort();
    expect(ending(".png").length).toBeGreaterThan(3);
    expect(ending(".png")).toEqual(ending(".svg"));
  });

  test("which classes were taken for which, with photos where they are kept", async () => {
    const path = write("run", fake(["adam"]));
    writeFileSync(join(path, "confusions.json"), JSON.stringify(fakeConfusions()));
    await cli(["report", path]);
    const html = () => readFileSync(join(path, "report.html"), "utf8");
    expect(html()).toContain("<b>rose</b> taken for <b>tulip</b>, 99.4%");
    expect(html()).toContain(`src="${fakeConfusions()[0]!.mistakes![0]!.image}"`);
    expect(existsSync(join(path, "figures", "confusion-adam.svg"))).toBe(true);
    await cli(["report", path, "--no-samples"]);
    expect(html()).toContain("<b>rose</b> taken for <b>tulip</b>, 99.4%");
    expect(html()).not.toContain("data:image/");
  });

  test("the end of the log of a trial that diverged, and of no other", async () => {
    const path = write("run", fake(["adam"], { adam: [2, null] }));
    const log = (seed: number, text: string) =>
      writeFileSync(join(path, "trials", `adam-${seed}`, "log.txt"), text);
    log(0, `${Array.from({ length: 30 }, (_, i) => `line <${i}>`).join("\n")}\n`);
    log(1, "all went well\n");
    await cli(["report", path]);
    const html = readFileSync(join(path, "report.html"), "utf8");
    expect(html).toContain("line &lt;29&gt;</pre>");
    expect(html).not.toContain("line &lt;20&gt;");
    expect(html).not.toContain("all went well");
  });

  test("a run that was cut short before its first epoch", async () => {
    const input = fake(["adam"]);
    const path = write("run", { ...input, rangeTests: [], trials: [] });
    expect((await cli(["report", path])).code).toBe(0);
    expect(existsSync(join(path, "report.html"))).toBe(true);
  });
});

describe("several runs", () => {
  test("arms side by side, under their directories' names", async () => {
    const a = write("first", fake(["sgd+clr", "adam"]));
    const b = write("second", fake(["adam"], { adam: [1, null] }));
    const out = join(root, "both");
    const { summary } = (await cli(["report", a, b, "--out", out, "--json"])).json<{
      summary: SummaryRecord;
    }>();
    expect(summary.optimizers.map(({ name, diverged }) => [name, diverged])).toEqual([
      ["first: sgd+clr", 0],
      ["first: adam", 0],
      ["second: adam", 1],
    ]);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("second: adam");
  });

  test("other data is refused; another protocol is said", async () => {
    const input = fake(["adam"]);
    const a = write("a", input);
    const { experiment } = input;
    const dataset = { ...experiment.dataset, fingerprint: "other" };
    const b = write("b", { ...input, experiment: { ...experiment, dataset } });
    const out = join(root, "out");
    const refusal = await cli(["report", a, b, "--out", out]);
    expect(refusal.code).toBe(2);
    expect(refusal.stderr).toContain(`${b}: was made on other data`);
    expect(existsSync(out)).toBe(false);
    const protocol = { ...experiment.protocol, batch: 7 };
    const c = write("c", { ...input, experiment: { ...experiment, protocol } });
    const { code, stderr } = await cli(["report", a, c, "--out", out]);
    expect(code).toBe(0);
    const note = `the runs differ in batch: ${experiment.protocol.batch} in a; 7 in c`;
    expect(stderr).toContain(`Note: ${note}`);
    const summary: SummaryRecord = JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
    expect(summary.notes).toEqual([note]);
    const html = readFileSync(join(out, "report.html"), "utf8");
    const table = /The experiments<.*?<\/table>/s.exec(html)![0];
    expect(table).toMatch(/<th scope="col">a<\/th><th scope="col">c<\/th>/);
    expect(table).toContain('<th scope="row">Batch</th><td>64</td><td>7</td>');
    expect(table).not.toContain('<th scope="row">Seeds</th>');
    // Made by a program: there is no command to show.
    expect(html).toContain("No command asks for a: ");
    expect(html).toContain("No command asks for c: ");
  });
});

describe("runs that are parts of one study", () => {
  const whole = fake(["sgd+clr", "adam"], {}, 4);
  /** Of the whole, the trials with such seeds, as a run of that machine. */
  const part = (seeds: number[], processor: string): ReportInput => ({
    ...whole,
    experiment: {
      ...whole.experiment,
      machine: { ...whole.experiment.machine, processor },
      protocol: { ...whole.experiment.protocol, seeds },
    },
    trials: whole.trials.filter(({ trial }) => seeds.includes(trial.seed)),
  });
  const reported = async (...paths: string[]) => {
    const out = join(root, `out-${readdirSync(root).length}`);
    const { summary } = (await cli(["report", ...paths, "--out", out, "--json"])).json<{
      summary: SummaryRecord;
    }>();
    return { summary, html: readFileSync(join(out, "report.html"), "utf8") };
  };
  const { processor } = whole.experiment.machine;

  test("of one machine give the summary that the study in one folder gives", async () => {
    const a = write("a", part([0, 3], processor));
    const b = write("b", part([1, 2], processor));
    const { summary } = await reported(a, b);
    const one = (await cli(["report", write("one", whole), "--json"])).json<{
      summary: SummaryRecord;
    }>();
    expect(summary).toEqual(one.summary);
  });

  test("of machines that differ are compared by accuracy, and not by seconds", async () => {
    const a = write("a", part([0, 1], processor));
    const b = write("b", part([2, 3], "Another processor"));
    const { summary, html } = await reported(a, b);
    const names = summary.optimizers.map(({ name }) => name);
    expect(names).toEqual(["sgd+clr", "adam"]);
    expect(summary.optimizers.map(({ msPerStep }) => msPerStep)).toEqual([null, null]);
    expect(summary.machines!.map((one) => [one.processor, one.trials])).toEqual([
      [processor, 4],
      ["Another processor", 4],
    ]);
    expect(html).toContain("Machines that differ trained the runs of this study");
    expect(html).toContain("they are parts of one study, and their trials are put together");
  });

  test("a trial that one of them began and another ended counts once", async () => {
    const first = part([0, 1], processor);
    const broken = first.trials.map(({ trial, metrics }) =>
      trial.seed === 1
        ? { trial: { ...trial, status: "interrupted" as const }, metrics: metrics.slice(0, 1) }
        : { trial, metrics },
    );
    const a = write("a", { ...first, trials: broken });
    const b = write("b", part([1, 2, 3], processor));
    const { summary } = await reported(a, b);
    for (const { seeds, finalValidationAccuracy } of summary.optimizers) {
      expect(seeds).toEqual([0, 1, 2, 3]);
      expect(finalValidationAccuracy.values.every((value) => value !== null)).toBe(true);
    }
    expect(summary.optimizers).toHaveLength(2);
  });

  test("which classes were taken for which is added up, and the surest mistakes stay", () => {
    const one = { ...fakeConfusions()[0]!, arm: "adam" };
    const surer = one.mistakes!.map((mistake) => ({ ...mistake, seed: 9, probability: 0.999 }));
    const twice = one.counts.map((row) => row.map((count) => 2 * count));
    const other = { ...one, arm: "sgd" };
    const joined = joinConfusions([one, other, { ...one, counts: twice, mistakes: surer }]);
    expect(joined.map(({ arm }) => arm)).toEqual(["adam", "sgd"]);
    expect(joined[0]!.counts).toEqual(one.counts.map((row) => row.map((count) => 3 * count)));
    expect(joined[0]!.mistakes!.map(({ seed }) => seed)).toEqual(surer.map(() => 9));
    expect(joined[1]).toEqual(other);
  });

  test.each([
    ["a trial that ended in both", (input: ReportInput) => input, [1, 2]],
    [
      "another learning rate",
      (input: ReportInput) => ({
        ...input,
        trials: input.trials.map(({ trial, metrics }) => ({
          trial: { ...trial, schedule: { type: "constant" as const, rate: 0.5 } },
          metrics,
        })),
      }),
      [2, 3],
    ],
    [
      "another version",
      (input: ReportInput) => ({
        ...input,
        experiment: { ...input.experiment, lrscope: "0.0.9" },
      }),
      [2, 3],
    ],
  ])("%s: set side by side instead", async (_, change, seeds) => {
    const a = write("a", part([0, 1], processor));
    const b = write("b", change(part(seeds, processor)));
    const { summary } = await reported(a, b);
    expect(summary.optimizers.map(({ name }) => name)).toEqual([
      ...["a: sgd+clr", "a: adam", "b: sgd+clr", "b: adam"],
    ]);
  });
});

test("refuses what is no run, and an --out that is taken", async () => {
  const nowhere = await cli(["report", join(root, "nowhere")]);
  expect(nowhere.code).toBe(2);
  expect(nowhere.stderr).toContain("no such folder");
  expect((await cli(["report", root])).stderr).toContain("is not a run directory");
  const path = write("run", fake(["adam"]));
  const taken = await cli(["report", path, "--out", path]);
  expect(taken.code).toBe(2);
  expect(taken.stderr).toContain("already holds another experiment");
});
