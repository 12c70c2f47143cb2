import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreError } from "../core/errors.ts";
import type {
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  TrialRecord,
} from "../record/index.ts";
import { checkRunDirectory, createRunDirectory, readRun } from "./index.ts";

const experiment: ExperimentRecord = {
  formatVersion: 1,
  kind: "compare",
  created: "2026-01-31T10:15:00.000Z",
  lrscope: "0.1.0",
  engine: "oneDNN 2.6.3, avx2, 2 threads",
  machine: { processor: "x", cores: 2, memoryGiB: 4, platform: "linux-x64", node: "v20.0.0" },
  dataset: {
    name: "photos",
    fingerprint: "ab",
    images: 10,
    channels: 3,
    size: 16,
    classes: [
      { name: "a", count: 5, train: 4, validation: 1 },
      { name: "b", count: 5, train: 4, validation: 1 },
    ],
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
    broken: [],
  },
  model: { name: "vanilla", parameters: 10 },
  protocol: {
    epochs: 2,
    batch: 4,
    seeds: [0, 1],
    updatesPerEpoch: 2,
    augment: "photos",
    validation: 0.2,
    splitSeed: 0,
    dropLast: false,
    precision: "fp32",
    threads: 2,
    momentum: 0,
    weightDecay: 0,
    clip: null,
    labelSmoothing: 0,
  },
  arms: [
    { name: "sgd", slug: "sgd", optimizer: "sgd", schedule: null, learningRate: null },
    { name: "adam", slug: "adam", optimizer: "adam", schedule: null, learningRate: null },
  ],
};

const trial = (slug: string, seed: number): TrialRecord => ({
  formatVersion: 1,
  arm: slug,
  slug,
  seed,
  optimizer: { name: slug, hyperparameters: { learningRate: 1e-3 } },
  schedule: { type: "constant", rate: 1e-3 },
  learningRateSource: `default of ${slug}`,
  updatesPerEpoch: 2,
  epochs: 2,
  status: "running",
  divergence: null,
  failure: null,
  msPerStep: null,
  seconds: null,
});

const metrics = (epoch: number): EpochMetrics => ({
  epoch,
  update: 2 * epoch,
  lr: 1e-3,
  trainLoss: 1.5,
  trainAccuracy: 0.25,
  validationLoss: null,
  validationAccuracy: 0.5,
  seconds: 1,
});

const rangeTest: RangeTestRecord = {
  formatVersion: 2,
  arm: "sgd",
  optimizer: "sgd",
  ...{ from: 1e-7, to: 0.1, updates: 1, epochs: 2 },
  ...{ ramp: "exponential", loss: "train", smoothing: "published", reading: "published" },
  runs: [{ seed: 0, points: [{ update: 0, lr: 1e-7, loss: 1, smoothedLoss: 1 }] }],
  seeds: [{ seed: 0, status: "read", reason: null, rate: 0.01 }],
  suggestion: {
    constant: { rate: 0.01, rule: "minimum/10", low: 0.01, high: 0.01, interval: null },
    peak: { rate: 0.01, baseLr: 0.002, rule: "minimum/10", low: 0.01, high: 0.01, interval: null },
  },
  verdict: { kind: "read", message: "", remedy: null },
  unguarded: null,
  doubts: [],
  suggestions: { "minimum/10": 0.01 },
  warnings: [],
  seconds: 1,
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lrscope-store-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What the work throws; fails where it throws something else, or nothing. */
function refusal(work: () => unknown): StoreError {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("creating", () => {
  test("makes parents, and takes an empty folder as it is", () => {
    const path = join(root, "a", "b");
    createRunDirectory(path, experiment);
    expect(JSON.parse(readFileSync(join(path, "experiment.json"), "utf8"))).toEqual(experiment);
    const empty = join(root, "empty");
    mkdirSync(empty);
    createRunDirectory(empty, experiment);
    expect(existsSync(join(empty, "experiment.json"))).toBe(true);
  });

  test("refuses a folder with another experiment, and leaves it as it was", () => {
    createRunDirectory(root, experiment);
    const before = readdirSync(root);
    const error = refusal(() => createRunDirectory(root, { ...experiment, kind: "find" }));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(`${root}: already holds another experiment`);
    expect(error.message).toContain("--out");
    expect(readdirSync(root)).toEqual(before);
    expect(readRun(root).experiment.kind).toBe("compare");
  });

  test("refuses a folder with any other file", () => {
    writeFileSync(join(root, "notes.txt"), "mine");
    const error = refusal(() => checkRunDirectory(root));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain('it holds "notes.txt"');
  });

  test("refuses a path through a file, and a file itself", () => {
    writeFileSync(join(root, "file"), "");
    for (const path of [join(root, "file"), join(root, "file", "run")]) {
      const error = refusal(() => checkRunDirectory(path));
      expect(error.exitCode).toBe(2);
      expect(error.message).toContain(`${path}: the output folder cannot be written: `);
    }
  });

  test("refuses a folder that cannot be written", ({ skip }) => {
    if (process.getuid?.() === 0) skip("root may write everywhere");
    const closed = join(root, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    const error = refusal(() => checkRunDirectory(join(closed, "run")));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain("permission denied");
  });

  test("a check leaves nothing behind", () => {
    checkRunDirectory(join(root, "a", "b", "c"));
    expect(readdirSync(root)).toEqual([]);
    mkdirSync(join(root, "empty"));
    checkRunDirectory(join(root, "empty"));
    expect(readdirSync(join(root, "empty"))).toEqual([]);
  });
});

describe("writing and reading", () => {
  test("a run comes back as it was recorded, in the order of arms and seeds", () => {
    const directory = createRunDirectory(join(root, "run"), experiment);
    directory.writeRangeTest("sgd", rangeTest);
    directory.writePlan({ threads: 2 });
    for (const [slug, seed] of [
      ["adam", 0],
      ["sgd", 10],
      ["sgd", 9],
    ] as const) {
      directory.writeTrial(trial(slug, seed));
      for (const epoch of [1, 2]) directory.appendMetrics(slug, seed, metrics(epoch));
      directory.writeTrial({ ...trial(slug, seed), status: "done" });
    }
    directory.appendLog("sgd", 9, "first");
    directory.appendLog("sgd", 9, "second");
    const run = readRun(directory.path);
    expect(run.experiment).toEqual(experiment);
    expect(run.rangeTests).toEqual([rangeTest]);
    expect(run.summary).toBeNull();
    expect(run.trials.map((entry) => [entry.trial.slug, entry.trial.seed])).toEqual([
      ["sgd", 9],
      ["sgd", 10],
      ["adam", 0],
    ]);
    expect(run.trials[0]!.trial.status).toBe("done");
    expect(run.trials[0]!.metrics).toEqual([metrics(1), metrics(2)]);
    expect(readFileSync(directory.trialFile("sgd", 9, "log.txt"), "utf8")).toBe("first\nsecond\n");
    expect(readFileSync(join(directory.path, "plan.json"), "utf8")).toBe('{\n  "threads": 2\n}\n');
  });

  test("no temporary file stays", () => {
    const directory = createRunDirectory(root, experiment);
    directory.writeText("figures/a.svg", "<svg/>");
    directory.writeText("figures/a.svg", "<svg></svg>");
    expect(readdirSync(join(root, "figures"))).toEqual(["a.svg"]);
    expect(readFileSync(join(root, "figures", "a.svg"), "utf8")).toBe("<svg></svg>");
  });

  test("a name cannot lead out of the directory", () => {
    const directory = createRunDirectory(root, experiment);
    for (const name of ["../x", "/x", "a/../../x"])
      expect(() => directory.writeText(name, "")).toThrow("lies outside");
  });
});

describe("what was left behind", () => {
  const metricsFile = () => join(root, "trials", "sgd-0", "metrics.jsonl");
  const started = () => {
    const directory = createRunDirectory(root, experiment);
    directory.writeTrial(trial("sgd", 0));
    directory.appendMetrics("sgd", 0, metrics(1));
    return directory;
  };

  test("an unfinished last line is passed over, at every length", () => {
    started();
    const whole = readFileSync(metricsFile(), "utf8");
    const second = JSON.stringify(metrics(2));
    for (let length = 0; length <= second.length; length++) {
      writeFileSync(metricsFile(), whole + second.slice(0, length));
      expect(readRun(root).trials[0]!.metrics).toEqual([metrics(1)]);
    }
    writeFileSync(metricsFile(), `${whole + second}\n`);
    expect(readRun(root).trials[0]!.metrics).toEqual([metrics(1), metrics(2)]);
  });

  test("a damaged line before the last is named", () => {
    started();
    writeFileSync(metricsFile(), `{"epoch": 1\n${JSON.stringify(metrics(2))}\n`);
    const error = refusal(() => readRun(root));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(`${metricsFile()}, line 1: is not JSON`);
  });

  test("a field of the wrong kind is named", () => {
    started();
    writeFileSync(metricsFile(), `${JSON.stringify({ ...metrics(1), lr: "fast" })}\n`);
    expect(refusal(() => readRun(root)).message).toContain(
      `${metricsFile()}, line 1: is not a record of lrscope's: lr: `,
    );
  });

  test("a format of the future is named", () => {
    writeFileSync(
      join(root, "experiment.json"),
      JSON.stringify({ ...experiment, formatVersion: 2 }),
    );
    expect(refusal(() => readRun(root)).message).toContain("has format 2");
  });

  test("a trial's folder without trial.json, and temporary files, are passed over", () => {
    started();
    mkdirSync(join(root, "trials", "sgd-1"));
    mkdirSync(join(root, "range-tests"));
    writeFileSync(join(root, "range-tests", ".sgd.json.1.tmp"), "{");
    const run = readRun(root);
    expect(run.trials).toHaveLength(1);
    expect(run.rangeTests).toEqual([]);
  });

  test("no folder, and a folder that is no run", () => {
    expect(refusal(() => readRun(join(root, "nowhere"))).message).toContain("no such folder");
    const error = refusal(() => readRun(root));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain("is not a run directory (it has no experiment.json)");
  });
});

describe("a full disk", () => {
  test("appending: exit code 1, the file and what is kept are named", ({ skip }) => {
    if (!existsSync("/dev/full")) skip("there is no /dev/full");
    const directory = createRunDirectory(root, experiment);
    directory.writeTrial(trial("sgd", 0));
    const file = directory.trialFile("sgd", 0, "metrics.jsonl");
    symlinkSync("/dev/full", file);
    const error = refusal(() => directory.appendMetrics("sgd", 0, metrics(1)));
    expect(error.exitCode).toBe(1);
    expect(error.message).toContain(`${file}: the disk is full (ENOSPC)`);
    expect(error.message).toContain(
      "the lines before it, and all other files of the run, are kept",
    );
    rmSync(file);
    expect(readRun(root).trials[0]!.trial).toEqual(trial("sgd", 0));
  });
});
