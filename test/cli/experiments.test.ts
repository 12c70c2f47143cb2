/** @file find, train, compare and predict from end to end, on the synthetic source. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/open.ts";
import { readOnnx, readSafetensors, writeSafetensors } from "../../src/files/weight-files.ts";
import type {
  EpochMetrics,
  RangeTestRecord,
  SummaryRecord,
  TrialRecord,
} from "../../src/record/index.ts";
import { readRun } from "../../src/store/index.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();
/** Small and the same everywhere: 7 updates an epoch. */
const small = ["synthetic", "--size", "16", "--batch", "32", "--threads", "1"];

/** Without what a clock says, and where the run lies. */
const TIMES = new Set([
  "seconds",
  "medianSeconds",
  // It names what a step takes.
  "conclusion",
  "msPerStep",
  "optimizerShare",
  "created",
  "directory",
  "report",
  "checkpoints",
]);
const timeless = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner) => (TIMES.has(key) ? undefined : inner)));

describe.skipIf(absent)(`find${absent ? ` (${absent})` : ""}`, () => {
  test("the record, its file, and the ramp's ends", async () => {
    const out = within("find");
    const result = await cli(["find", ...small, "--seeds", "2", "--out", out, "--json"]);
    expect(result.stderr).toContain("synthetic: 256 images");
    expect(result.code).toBe(0);
    const record = result.json<RangeTestRecord>();
    expect(record).toEqual(JSON.parse(readFileSync(join(out, "range-test.json"), "utf8")));
    expect(JSON.parse(readFileSync(join(out, "plan.json"), "utf8")).threads).toBe(1);
    expect(record.runs.map(({ seed }) => seed)).toEqual([0, 1]);
    // A fifth of 200 updates finds the ends between which the others go.
    expect(record.search).toMatchObject({ updates: 40, from: record.from, to: record.to });
    expect(record.search!.run.points[0]!.lr).toBe(1e-7);
    expect(record.updates).toBe(160);
    for (const { points } of record.runs) {
      expect(points.length).toBeLessThanOrEqual(160);
      expect(points[0]!.lr).toBe(record.from);
      expect(points.at(-1)!.lr).toBeLessThanOrEqual(record.to);
    }
    const { constant, peak } = record.suggestion!;
    expect(peak.rate / constant.rate).toBeCloseTo(2, 9);
    expect(peak.rate / peak.baseLr).toBeCloseTo(6, 9);
    expect(result.stderr).toMatch(
      /range test of sgd: 200 updates, 40 of them to find the ends of the ramp; about .* for a seed/,
    );
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("data:image/png;base64,");
    expect(readRun(out).experiment.kind).toBe("find");
  });

  test("as published: 1e-7 to 0.1 in two epochs, or between the ends that are said", async () => {
    const out = within("find-published");
    const said = ["--published", "--from", "1e-5", "--to", "1", "--json"];
    const { code, stdout } = await cli(["find", ...small, ...said, "--out", out]);
    expect(code).toBe(0);
    const record = JSON.parse(stdout) as RangeTestRecord;
    expect(record).toMatchObject({ reading: "published", smoothing: "published", epochs: 2 });
    expect(record.search).toBeUndefined();
    const { points } = record.runs[0]!;
    expect(points).toHaveLength(14);
    expect([points[0]!.lr, points.at(-1)!.lr]).toEqual([1e-5, 1]);
    const { constant, peak } = (record.suggestion ?? record.unguarded)!;
    expect(constant.rate).toBe(peak.rate);
    expect(peak.rate / peak.baseLr).toBeCloseTo(6, 9);
    const both = await cli(["find", ...small, "--updates", "9", "--epochs", "2"]);
    expect(both.stderr).toContain("--updates and --epochs both say how long the test is");
  });

  test("the CLR paper's test: linear ramp, accuracy elbow, validation loss", async () => {
    const flags = ["--ramp", "linear", "--rule", "elbow", "--loss", "validation"];
    const more = ["--loss-every", "2", "--smoothing", "none", "--optimizer", "adam"];
    const rates = ["--from", "1e-4", "--to", "0.1", "--epochs", "4", "--published"];
    const out = within("find-elbow");
    const result = await cli([
      "find",
      ...small,
      ...flags,
      ...more,
      ...rates,
      "--out",
      out,
      "--json",
    ]);
    expect(result.code).toBe(0);
    const record = result.json<RangeTestRecord>();
    expect(record).toMatchObject({ ramp: "linear", loss: "validation", smoothing: "none" });
    const { points } = record.runs[0]!;
    expect(points).toHaveLength(14);
    expect(points[0]!.lr).toBeCloseTo(1e-4 + (0.1 - 1e-4) / 27, 12);
    expect(record.suggestion!.peak.rule).toBe("elbow");
    expect(record.suggestion!.peak.baseLr).toBeLessThan(record.suggestion!.peak.rate);
    const refused = await cli(["find", ...small, "--loss-every", "2", "--out", within("no")]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("add --loss validation");
  });

  test("for people: chart, bounds, and a next command that parses", async () => {
    const out = within("find-text");
    const { code, stdout } = await cli(["find", ...small, "--out", out, "--no-samples"]);
    expect(code).toBe(0);
    expect(stdout).toContain("constant rate");
    expect(stdout).toContain("Other rules:");
    expect(stdout).toContain(`Report:  ${join(out, "report.html")}`);
    const next = /^Next: lrscope (.*)$/m.exec(stdout)![1]!;
    expect(next).toMatch(/^train synthetic --optimizer sgd --lr \S+ .*--size 16 --batch 32/);
    expect(stdout).toMatch(/^ {2}or: lrscope train .* --schedule clr .*--max-lr /m);
    // An output folder that is taken is refused after the flags are read, and before any work.
    const again = await cli([...next.split(" "), "--out", out]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("already holds another experiment");
    expect(readFileSync(join(out, "report.html"), "utf8")).not.toContain("data:image/");
    expect(existsSync(join(out, "samples.json"))).toBe(false);
  });
});

describe.skipIf(absent)("train and predict", () => {
  test("records, weights, and a prediction from the weights alone", async () => {
    const out = within("train");
    const call = ["train", ...small, "--optimizer", "adam", "--epochs", "3", "--out", out];
    const result = await cli([...call, "--json"]);
    expect(result.code).toBe(0);
    const { trial, metrics, checkpoints } = result.json<{
      trial: TrialRecord;
      metrics: EpochMetrics[];
      checkpoints: { best: string; last: string };
    }>();
    expect(trial).toMatchObject({ arm: "adam", status: "done", updatesPerEpoch: 7, epochs: 3 });
    expect(metrics.map(({ epoch, update }) => [epoch, update])).toEqual([
      [1, 7],
      [2, 14],
      [3, 21],
    ]);
    // Progress went to stderr: validation accuracy, each epoch.
    expect(result.stderr.match(/epoch +\d {2}.*validation \d+\.\d%/g)).toHaveLength(3);
    expect(readRun(out).trials[0]!.metrics).toEqual(metrics);
    expect(readRun(out).experiment.kind).toBe("train");
    expect(existsSync(checkpoints.last)).toBe(true);

    const dataset = await openDataset("synthetic", { size: 16 });
    const images = Array.from(dataset.validation.subarray(0, 12));
    mkdirSync(within("images"));
    const files = await Promise.all(
      images.map(async (image, index) => {
        const file = within(`images/bild ${index} ä.png`);
        writeFileSync(file, await dataset.png(image));
        return file;
      }),
    );
    const predicted = await cli(["predict", checkpoints.best, ...files, "--json", "--top", "2"]);
    expect(predicted.code).toBe(0);
    const { predictions } = predicted.json<{
      predictions: { file: string; top: { class: string; probability: number }[] }[];
    }>();
    expect(predictions.map(({ file }) => file)).toEqual(files);
    let right = 0;
    for (const [index, { top }] of predictions.entries()) {
      expect(top).toHaveLength(2);
      expect(top[0]!.probability).toBeGreaterThanOrEqual(top[1]!.probability);
      if (top[0]!.class === dataset.classes[dataset.labels[images[index]!]!]) right++;
    }
    dataset.close();
    // Its validation accuracy is above 0.9; guessing would get 3 of 12.
    expect(Math.max(...metrics.map((line) => line.validationAccuracy!))).toBeGreaterThan(0.8);
    expect(right).toBeGreaterThan(6);

    const text = await cli(["predict", checkpoints.best, files[0]!]);
    expect(text.stdout).toMatch(/^image +class +probability/);
    const folder = await cli(["predict", checkpoints.best, within("images"), "--json"]);
    const found = folder.json<{ predictions: { file: string; top: unknown[] }[] }>().predictions;
    expect(found.map(({ file }) => file)).toEqual([...files].sort());
    expect(found[0]!.top).toHaveLength(3);

    const model = within("model.onnx");
    const exported = await cli(["export", checkpoints.best, model]);
    expect(exported.code).toBe(0);
    const { metadata } = readOnnx(model);
    expect(JSON.parse(metadata.classes!)).toEqual([...dataset.classes]);
    expect(JSON.parse(metadata.size!)).toBe(16);

    const again = await cli(["export", checkpoints.best, model]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("is there already")]);
    const forced = await cli(["export", checkpoints.best, model, "--logits", "--force"]);
    expect([forced.code, forced.stdout]).toEqual([0, expect.stringContaining("logits")]);
    const other = await cli(["export", checkpoints.best, within("model.pth")]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("end in .onnx")]);
    expect(existsSync(within("model.pth"))).toBe(false);
  });

  test("the cyclical schedule: given bounds, step size in epochs", async () => {
    const out = within("train-clr");
    const flags = ["--schedule", "clr", "--max-lr", "0.06", "--step-size", "2e", "--epochs", "1"];
    const result = await cli(["train", ...small, ...flags, "--out", out, "--json"]);
    expect(result.code).toBe(0);
    expect(result.json<{ trial: TrialRecord }>().trial.schedule).toEqual({
      type: "triangular",
      base: 0.06 / 6,
      max: 0.06,
      stepSize: 14,
    });
    expect(readRun(out).rangeTests).toEqual([]);
  });

  test("predict: what is missing or no image", async () => {
    const none = await cli(["predict", within("none.safetensors"), "x.png"]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("no checkpoint");
    writeFileSync(within("text.safetensors"), "not a checkpoint");
    const checkpoint = within("train/trials/adam-0/best.safetensors");
    const missing = await cli(["predict", checkpoint, within("nowhere.png")]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("no such image");
    writeFileSync(within("text.png"), "not an image");
    const damaged = await cli(["predict", within("text.safetensors"), within("text.png")]);
    expect(damaged.code).toBe(2);
    expect(damaged.stderr).toContain("text.safetensors");
    const stored = await readSafetensors(checkpoint);
    const { tensors } = stored;
    // With a checksum, it would be that which does not match.
    const { checksum: _, ...metadata } = stored.metadata;
    for (const graph of ["{}", '{"tensors":[],"nodes":[],"outputs":{}}', "7"]) {
      const file = within("graphless.safetensors");
      await writeSafetensors(file, { tensors, metadata: { ...metadata, graph } });
      const graphless = await cli(["predict", file, within("text.png")]);
      expect(graphless.code).toBe(2);
      expect(graphless.stderr).toContain("the file is damaged");
    }
    const interrupted = await cli(["predict", checkpoint, within("text.png")], {
      signal: AbortSignal.abort(),
    });
    expect(interrupted.code).toBe(130);
    const broken = await cli(["predict", checkpoint, within("text.png"), "--json"]);
    expect(broken.code).toBe(2);
    expect(
      broken.json<{ predictions: { reason: string }[] }>().predictions[0]!.reason,
    ).toBeTruthy();
    expect(broken.stderr).toContain("none of the images can be decoded");
  });
});

describe.skipIf(absent)("compare", () => {
  const call = ["compare", ...small, "--seeds", "2", "--json"];
  const short = [...call, "--epochs", "2"];

  test("an arm that diverges is recorded with update and rate, and the others go on", async () => {
    const out = within("diverged");
    const optimizers = ["--optimizers", "sgd@1e40,adam"];
    const result = await cli([...short, ...optimizers, "--out", out]);
    expect(result.code).toBe(0);
    const { optimizers: arms } = result.json<SummaryRecord>();
    expect(arms.map(({ name, diverged }) => [name, diverged])).toEqual([
      ["sgd@1e40", 2],
      ["adam", 0],
    ]);
    expect(arms[0]!.finalValidationAccuracy.mean).toBeNull();
    const { trials } = readRun(out);
    expect(trials.map(({ trial }) => trial.status)).toEqual([
      "diverged",
      "diverged",
      "done",
      "done",
    ]);
    for (const { trial, metrics } of trials.slice(0, 2)) {
      // The first update's loss is still that of the initial weights; the rate is infinite in f32.
      expect(trial.divergence).toEqual({ update: 1, learningRate: 1e40, epoch: 1 });
      expect(metrics.at(-1)).toMatchObject({ diverged: true, validationAccuracy: null });
      expect(result.stderr).toContain("stopped being finite at update 1, learning rate 1e40");
    }
  });

  test("the same command twice gives the same numbers, to the last bit; a range test first", async () => {
    const optimizers = ["--optimizers", "sgd+clr,adam", ...["--finder-updates", "40", "--force"]];
    const [first, second] = [within("first"), within("second")];
    const a = await cli([...short, ...optimizers, "--out", first]);
    const b = await cli([...short, ...optimizers, "--out", second]);
    expect(a.code).toBe(0);
    expect(timeless(a.json())).toEqual(timeless(b.json()));
    const runs = [readRun(first), readRun(second)] as const;
    expect(timeless(runs[0])).toEqual(timeless(runs[1]));
    for (const file of ["trials/adam-1/last.safetensors", "trials/sgd-clr-0/best.safetensors"])
      expect(readFileSync(join(first, file)).equals(readFileSync(join(second, file)))).toBe(true);
    const { suggestion, unguarded } = runs[0].rangeTests[0]!;
    const { rate: maxLr, baseLr } = (suggestion ?? unguarded)!.peak;
    expect(runs[0].trials[0]!.trial.schedule).toEqual({
      type: "triangular",
      base: baseLr,
      max: maxLr,
      stepSize: 28,
    });
    expect(JSON.parse(readFileSync(join(first, "summary.json"), "utf8"))).toEqual(runs[0].summary);

    // An arm's numbers are the same whatever else ran before it.
    const alone = within("alone");
    await cli([...short, "--optimizers", "adam", "--out", alone]);
    const adam = (run: ReturnType<typeof readRun>) =>
      timeless(run.trials.filter(({ trial }) => trial.arm === "adam"));
    expect(adam(readRun(alone))).toEqual(adam(runs[0]));
  });

  test("Ctrl-C: 130, and what was recorded is readable and reported", async () => {
    const out = within("interrupted");
    const controller = new AbortController();
    const { code, stdout, stderr } = await cli(
      [...call, "--optimizers", "adam,sgd", "--epochs", "50", "--out", out],
      {
        signal: controller.signal,
        onOutput: (text) => /epoch +2 /.test(text) && controller.abort(),
      },
    );
    expect(code).toBe(130);
    expect(stdout).toBe("");
    expect(stderr).toContain(`records so far: ${out}`);
    const { trials, summary } = readRun(out);
    expect(summary).toBeNull();
    expect(trials).toHaveLength(1);
    expect(trials[0]!.trial.status).toBe("interrupted");
    expect(trials[0]!.metrics.length).toBeGreaterThanOrEqual(2);
    expect(existsSync(join(out, "report.html"))).toBe(true);
  });

  test("on a terminal: a bar with images a second, and a line an epoch", async () => {
    const plain = short.filter((word) => word !== "--json");
    const { code, stdout, stderr } = await cli(
      [...plain, "--optimizers", "adam", "--out", within("tty")],
      { tty: true, environment: { TERM: "xterm" } },
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/adam, seed \d, epoch \d \(run \d of 2\) .*\d+%, [\d,]+ images\/s/);
    expect(stripVTControlCharacters(stdout).match(/validation \d+\.\d%/g)).toHaveLength(4);
  });

  test("on a terminal with NO_COLOR: plain lines, and nothing that is written again", async () => {
    const plain = short.filter((word) => word !== "--json");
    const { code, stdout, stderr } = await cli(
      [...plain, "--optimizers", "adam", "--out", within("plain")],
      { tty: true },
    );
    expect(code).toBe(0);
    expect(stdout.match(/validation \d+\.\d%/g)).toHaveLength(4);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});
