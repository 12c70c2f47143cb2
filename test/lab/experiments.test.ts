/** @file fit, rangeTest and compare on the synthetic images, against what they promise. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accuracyElbow, argmin } from "../../src/analysis/index.ts";
import { openDataset } from "../../src/data/index.ts";
import type { Dataset } from "../../src/data/types.ts";
import {
  compare,
  fit,
  type LabEvent,
  type RangeTestOptions,
  ramp,
  rangeTest,
} from "../../src/lab/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import type { Backend } from "../../src/program/index.ts";
import type { RangeTestRecord } from "../../src/record/index.ts";
import { nativeBackend } from "../../src/runtime/native/index.ts";
import { exponential, triangular } from "../../src/schedules/index.ts";
import { engineAbsent } from "../cli/temporary.ts";

describe("ramp", () => {
  const bounds = fc.tuple(
    fc.double({ min: 1e-9, max: 1e-3, noNaN: true }),
    fc.double({ min: 1e-2, max: 10, noNaN: true }),
    fc.integer({ min: 2, max: 500 }),
    fc.constantFrom("exponential" as const, "linear" as const),
  );

  test("begins at from, ends at to exactly, and rises", () =>
    fc.assert(
      fc.property(bounds, ([from, to, updates, kind]) => {
        const lr = ramp({ from, to, updates, kind });
        expect(lr(0)).toBeCloseTo(from, 15);
        expect(lr(updates - 1)).toBe(to);
        for (let i = 1; i < updates; i++) expect(lr(i)).toBeGreaterThan(lr(i - 1));
      }),
    ));

  test("at hand-computed points", () => {
    const lr = ramp({ from: 1e-4, to: 1, updates: 5 });
    for (const [i, want] of [1e-4, 1e-3, 1e-2, 1e-1, 1].entries())
      expect(lr(i)).toBeCloseTo(want, 12);
    expect(ramp({ from: 1, to: 3, updates: 5, kind: "linear" })(1)).toBe(1.5);
  });

  test.each([
    [{ from: 0.1, to: 0.1, updates: 9 }, "from must be below to"],
    [{ from: 0, to: 0.1, updates: 9 }, "from must be a positive number"],
    [{ from: 1e-3, to: Number.NaN, updates: 9 }, "to must be a positive number; got NaN"],
    [{ from: 1e-3, to: 0.1, updates: 1 }, "at least 2 updates"],
  ])("refuses %o", (options, message) => expect(() => ramp(options)).toThrow(message));
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-lab-"));
    dataset = await openDataset("synthetic", { size: 16, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const setup = () => ({
    dataset,
    network: vanilla({ classes: 4, channels: 3, size: 16, widths: [4, 8], hidden: 16 }),
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
    batch: 32,
  });
  /** 204 training images: six batches of 32 and one of 12. */
  const UPDATES_PER_EPOCH = 7;

  describe("rangeTest", () => {
    test("covers the ramp; the suggestion is the rule applied to the stored points", async () => {
      const record = await rangeTest({ ...setup(), optimizer: sgd(), to: 1, seeds: [0, 1, 2] });
      const suggested = record.runs.map(({ points }) => {
        expect(points).toHaveLength(2 * UPDATES_PER_EPOCH);
        expect(points[0]!.lr).toBe(1e-7);
        expect(points.at(-1)!.lr).toBe(1);
        let s = points[0]!.loss!;
        for (const { loss, smoothedLoss } of points) {
          s = 0.05 * loss! + 0.95 * s;
          expect(smoothedLoss).toBeCloseTo(s, 12);
        }
        const smoothed = points.map(({ smoothedLoss }) => smoothedLoss!);
        return points[argmin(smoothed)]!.lr / 10;
      });
      const median = suggested.sort((a, b) => a - b)[1]!;
      expect(record.suggestion.maxLr).toBeCloseTo(median, 12);
      expect(record.suggestion.baseLr).toBeCloseTo(median / 6, 12);
      expect(record.suggestion.low).toBeCloseTo(suggested[0]!, 12);
      expect(record.suggestion.high).toBeCloseTo(suggested[2]!, 12);
    });

    test("ends at a loss that is not finite, and keeps the points before it", async () => {
      const optimizer = sgd();
      const record = await rangeTest({ ...setup(), optimizer, from: 1e30, to: 1e38 });
      const { points } = record.runs[0]!;
      expect(points.length).toBeLessThan(2 * UPDATES_PER_EPOCH);
      expect(points[0]!.loss).toBeGreaterThan(0);
      expect(points.at(-1)!.loss).toBeNull();
    });

    test("validation loss: another curve of the very same training", async () => {
      const losses = async (options: Partial<RangeTestOptions>) => {
        const trained: number[] = [];
        const spied = {
          ...dataset,
          fill: (call: Parameters<Dataset["fill"]>[0]) => {
            if (!call.augment) trained.push(call.indices.length);
            return dataset.fill(call);
          },
        };
        const record = await rangeTest({
          ...setup(),
          dataset: spied,
          optimizer: sgd({ momentum: 0.9 }),
          to: 1,
          ...options,
        });
        return { record, points: record.runs[0]!.points, trained };
      };
      const plain = await losses({});
      const validated = await losses({ loss: "validation", validationImages: 40 });
      const rarely = await losses({ loss: "validation", validationEvery: 4, smoothing: "none" });
      expect(plain.record).toMatchObject({ loss: "train", smoothing: "published" });
      expect(validated.record.loss).toBe("validation");
      expect(validated.points).toHaveLength(14);
      // 40 images are a batch of 32 and one of 8, after each of 14 updates.
      expect(validated.trained).toEqual(Array.from({ length: 14 }, () => [32, 8]).flat());
      expect(rarely.points.map(({ update }) => update)).toEqual([3, 7, 11, 13]);
      for (const { accuracy, loss, smoothedLoss } of rarely.points) {
        expect(smoothedLoss).toBe(loss);
        expect((accuracy! * dataset.validation.length) % 1).toBeCloseTo(0, 9);
      }
      // Equal images, rate and seed: where all of them are validated, the point is the evaluation
      // that a training run of as many updates ends with.
      const { metrics } = await fit({
        ...setup(),
        optimizer: sgd({ momentum: 0.9 }),
        schedule: exponential({ rate: 1e-7, factor: 1e7, every: 13 }),
        epochs: 2,
      });
      const { loss, accuracy } = rarely.points.at(-1)!;
      expect(loss).toBeCloseTo(metrics.at(-1)!.validationLoss!, 5);
      expect(accuracy).toBeCloseTo(metrics.at(-1)!.validationAccuracy!, 9);
    });

    test("each point has the accuracy of its images; the rule asked for is read off", async () => {
      const record = await rangeTest({
        ...setup(),
        optimizer: adam(),
        to: 1,
        ramp: "linear",
        rule: "elbow",
        smoothing: "bias-corrected",
        epochs: 3,
      });
      const { points } = record.runs[0]!;
      for (const [i, { accuracy }] of points.entries())
        expect((accuracy! * (i % 7 === 6 ? 12 : 32)) % 1).toBeCloseTo(0, 9);
      const bounds = accuracyElbow(
        points.map(({ lr }) => lr),
        points.map(({ accuracy }) => accuracy!),
      );
      expect(record).toMatchObject({ ramp: "linear", smoothing: "bias-corrected" });
      if (bounds) expect(record.suggestion).toMatchObject({ rule: "elbow", ...bounds });
      else expect(record.warnings.join()).toContain('no curve carries the rule "elbow"');
    });

    test("a rule that no curve carries is replaced, and that is said", async () => {
      const record = await rangeTest({ ...setup(), optimizer: sgd(), rule: "slide" });
      expect(record.suggestion.rule).toBe("minimum/10");
      expect(record.warnings.join()).toContain('no curve carries the rule "slide"');
    });

    test.each([
      [{ rule: "knee" as "slide" }, "rule must be one of"],
      [{ smoothing: "mean" as "none" }, "smoothing: must be one of"],
      [
        { validationEvery: 2 },
        'validationEvery has no effect on the training loss; add loss: "vali',
      ],
      [{ loss: "validation" as const, validationImages: 0 }, "validationImages must be a positive"],
    ])("refuses %o", async (options, message) => {
      await expect(rangeTest({ ...setup(), optimizer: sgd(), ...options })).rejects.toThrow(
        message,
      );
    });

    test("refuses no seeds at all", async () => {
      await expect(rangeTest({ ...setup(), optimizer: sgd(), seeds: [] })).rejects.toThrow(
        "range test: at least one seed must be given",
      );
    });

    test("leaves what follows it bit-identical", async () => {
      const train = () => fit({ ...setup(), optimizer: adam(), epochs: 1, seed: 3 });
      const before = await train();
      await rangeTest({ ...setup(), optimizer: sgd() });
      const after = await train();
      for (const [name, { data }] of before.last!.tensors)
        expect(after.last!.tensors.get(name)!.data, name).toEqual(data);
    });
  });

  describe("fit", () => {
    test("one event an update, one metrics line an epoch; the schedule is followed", async () => {
      const events: LabEvent[] = [];
      const schedule = triangular({ base: 1e-3, max: 5e-3, stepSize: 4 });
      const { trial, metrics } = await fit({
        ...setup(),
        optimizer: sgd(),
        schedule,
        epochs: 2,
        onEvent: (event) => void events.push(event),
      });
      const updates = events.filter((event) => event.type === "update");
      expect(updates.map(({ lr }) => lr)).toEqual(
        Array.from({ length: 2 * UPDATES_PER_EPOCH }, (_, t) => schedule(t)),
      );
      expect(metrics.map(({ epoch, update }) => [epoch, update])).toEqual([
        [1, 7],
        [2, 14],
      ]);
      // Weighted by example: the last batch counts 12, the others 32.
      const first = updates.slice(0, 7).map(({ loss }) => loss);
      const mean = first.reduce((sum, loss, i) => sum + loss * (i < 6 ? 32 : 12), 0) / 204;
      expect(metrics[0]!.trainLoss).toBeCloseTo(mean, 10);
      expect(trial).toMatchObject({ status: "done", updatesPerEpoch: 7, divergence: null });
    });

    test("drop last leaves the smaller batch out", async () => {
      const { trial } = await fit({ ...setup(), optimizer: sgd(), epochs: 1, dropLast: true });
      expect(trial.updatesPerEpoch).toBe(6);
    });

    test("learns, and its best weights are those of the best epoch", async () => {
      const best: number[] = [];
      const { metrics } = await fit({
        ...setup(),
        optimizer: adam({ learningRate: 1e-2 }),
        epochs: 8,
        onEvent(event) {
          if (event.type === "weights" && event.which === "best") best.push(event.epoch);
        },
      });
      const accuracies = metrics.map(({ validationAccuracy }) => validationAccuracy!);
      expect(Math.max(...accuracies)).toBeGreaterThan(0.6);
      expect(best.at(-1)).toBe(accuracies.indexOf(Math.max(...accuracies)) + 1);
    });

    test("the last checkpoint holds the optimizer's state, the best one the weights alone", async () => {
      const names: Record<string, string[]> = {};
      const { last } = await fit({
        ...setup(),
        optimizer: adam(),
        epochs: 1,
        onEvent(event) {
          if (event.type === "weights") names[event.which] = [...event.read().tensors.keys()];
        },
      });
      const state = names.last!.filter((name) => !names.best!.includes(name));
      const parameters = names.best!.filter((name) => !name.includes("running_"));
      expect(state.sort()).toEqual(parameters.flatMap((name) => [`${name}:m`, `${name}:v`]).sort());
      expect(JSON.parse(last!.metadata.optimizer!).name).toBe("adam");
    });

    test("a diverged trial is a result, with the update and the rate", async () => {
      const { trial, metrics, last } = await fit({
        ...setup(),
        optimizer: sgd({ learningRate: 1e38 }),
        epochs: 3,
      });
      expect(trial.status).toBe("diverged");
      expect(trial.divergence).toMatchObject({ epoch: 1, learningRate: 1e38 });
      expect(metrics).toHaveLength(1);
      expect(metrics[0]).toMatchObject({ diverged: true, trainLoss: null });
      expect(last).toBeNull();
    });

    test("an abort ends it with an InterruptedError after the update under way", async () => {
      const controller = new AbortController();
      const finished: string[] = [];
      let updates = 0;
      const work = fit({
        ...setup(),
        optimizer: sgd(),
        epochs: 5,
        signal: controller.signal,
        onEvent(event) {
          if (event.type === "update" && ++updates === 3) controller.abort();
          if (event.type === "trial-finished") finished.push(event.trial.status);
        },
      });
      await expect(work).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
      expect(updates).toBe(3);
      expect(finished).toEqual(["interrupted"]);
    });

    test("an abort during validation ends it between two batches", async () => {
      const controller = new AbortController();
      let validated = 0;
      const watched: Dataset = {
        ...dataset,
        fill(options) {
          if (options.augment === undefined) {
            validated++;
            controller.abort();
          }
          return dataset.fill(options);
        },
      };
      const { signal } = controller;
      const work = fit({
        ...setup(),
        dataset: watched,
        batch: 8,
        optimizer: sgd(),
        epochs: 1,
        signal,
      });
      await expect(work).rejects.toMatchObject({ code: "INTERRUPTED" });
      // 52 images are 7 batches of 8: one was under way, the next being filled beside it.
      expect(validated).toBe(2);
    });

    test.each(["plan", "trial-started", "epoch", "weights", "trial-finished"] as const)(
      "a listener that fails at %s ends it with its own error, and the memory is freed",
      async (type) => {
        let open = 0;
        const { backend } = setup();
        const counted: Backend = {
          ...backend,
          createSession(options) {
            const session = backend.createSession(options);
            open++;
            const dispose = () => {
              open--;
              session.dispose();
            };
            return { ...session, dispose };
          },
        };
        let told = 0;
        const work = fit({
          ...setup(),
          backend: counted,
          optimizer: sgd(),
          epochs: 1,
          // From then on it fails at every event, as a full disk does.
          onEvent(event) {
            if (event.type === type || told > 0) throw new Error(`failure ${++told}`);
          },
        });
        await expect(work).rejects.toThrow("failure 1");
        expect(open).toBe(0);
      },
    );

    test.each(["epoch", "weights"] as const)(
      "a promise of %s that rejects ends the work, not the process; the end is announced",
      async (type) => {
        const ends: unknown[] = [];
        const work = fit({
          ...setup(),
          optimizer: sgd(),
          epochs: 50,
          async onEvent(event) {
            if (event.type === type) throw new Error(`no room for ${type}`);
            if (event.type === "trial-finished") ends.push(event.trial);
          },
        });
        await expect(work).rejects.toThrow(`no room for ${type}`);
        expect(ends).toMatchObject([
          { status: "failed", failure: `internal: no room for ${type}` },
        ]);
      },
    );

    test.each([
      [{ clip: 0 }, "clip must be a positive number; got 0"],
      [{ clip: Number.NaN }, "clip must be a positive number; got NaN"],
      [{ labelSmoothing: Number.NaN }, "labelSmoothing must be in [0, 1); got NaN"],
      [{ classWeights: [1, 2] }, "classWeights must be 4 numbers"],
    ])("refuses %o", async (wrong, message) => {
      await expect(fit({ ...setup(), ...wrong, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
        message,
      );
    });

    test("validation loss is neither smoothed nor weighted by class", async () => {
      // Rate almost 0: the same weights in all three.
      const run = (extra: object) =>
        fit({ ...setup(), ...extra, optimizer: sgd({ learningRate: 1e-30 }), epochs: 1 });
      const plain = (await run({})).metrics[0]!;
      for (const extra of [{ labelSmoothing: 0.5 }, { classWeights: [1, 9, 1, 1] }]) {
        const other = (await run(extra)).metrics[0]!;
        expect(other.trainLoss).not.toBeCloseTo(plain.trainLoss!, 4);
        expect(other.validationLoss).toBe(plain.validationLoss);
        expect(other.validationAccuracy).toBe(plain.validationAccuracy);
      }
    });

    test("refuses a batch larger than the training split, with the remedy", async () => {
      await expect(fit({ ...setup(), batch: 205, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
        "got 205 for 204 images. Use --batch 204 or less",
      );
    });

    test("refuses a network that does not fit the images", async () => {
      const network = vanilla({ classes: 5, channels: 3, size: 16, widths: [4], hidden: 8 });
      await expect(fit({ ...setup(), network, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
        "5 outputs must match the 4 classes",
      );
    });
  });

  describe("compare", () => {
    const run = (extra: object = {}) =>
      compare({ ...setup(), epochs: 2, seeds: [0, 1], optimizers: ["sgd+clr", "adam"], ...extra });

    test("a cyclical arm takes its bounds from a range test, step size 4 epochs", async () => {
      const tests: RangeTestRecord[] = [];
      const { trials, rangeTests, summary } = await run({
        to: 1,
        onEvent(event: LabEvent) {
          if (event.type === "range-test-finished") tests.push(event.record);
        },
      });
      expect(rangeTests).toEqual(tests);
      const { maxLr } = tests[0]!.suggestion;
      const spec = { type: "triangular", base: maxLr / 6, max: maxLr, stepSize: 28 };
      expect(trials.map(({ trial }) => [trial.arm, trial.seed])).toEqual([
        ["sgd+clr", 0],
        ["adam", 0],
        ["sgd+clr", 1],
        ["adam", 1],
      ]);
      expect(trials[0]!.trial.schedule).toEqual(spec);
      expect(trials[1]!.trial.schedule).toMatchObject({ type: "constant" });
      expect(summary.optimizers.map(({ name, seeds }) => [name, seeds])).toEqual([
        ["sgd+clr", [0, 1]],
        ["adam", [0, 1]],
      ]);
    });

    test("given bounds need no range test", async () => {
      const { rangeTests, trials } = await run({ maxLr: 0.03, baseLr: 0.01, stepSize: 5 });
      expect(rangeTests).toEqual([]);
      expect(trials[0]!.trial.schedule).toEqual({
        type: "triangular",
        base: 0.01,
        max: 0.03,
        stepSize: 5,
      });
    });

    test("one arm that diverges does not end the others", async () => {
      const { summary } = await run({ optimizers: ["sgd@1e38", "adam"] });
      expect(summary.optimizers.map(({ diverged }) => diverged)).toEqual([2, 0]);
      expect(summary.optimizers[1]!.finalValidationAccuracy.mean).not.toBeNull();
    });

    test("arms of a seed begin from the same weights, whatever the optimizer's state", async () => {
      const { trials } = await run({ optimizers: ["sgd@1e-30", "adam@1e-30"], seeds: [0] });
      const [first, second] = trials.map(({ metrics }) => metrics[0]!.trainLoss!);
      expect(second).toBeCloseTo(first!, 6);
    });
  });
});
