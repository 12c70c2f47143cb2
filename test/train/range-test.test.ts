/** @file rangeTest on the synthetic images: ramps, what is measured, how it is read, what is refused. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accuracyElbow, argmin } from "../../src/analysis/index.ts";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import { constant, exponential } from "../../src/schedules/index.ts";
import { confirmSuggestion } from "../../src/train/confirm.ts";
import { fit } from "../../src/train/fit.ts";
import type { RangeTestOptions } from "../../src/train/options.ts";
import { ramp, rangeTest } from "../../src/train/range-test.ts";
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
    test("as published: covers the ramp; the suggestion is the rule applied to the stored points", async () => {
      const record = await rangeTest({
        ...{ ...setup(), optimizer: sgd(), to: 1, seeds: [0, 1, 2], reading: "published" },
      });
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
        // Where nothing was tested below, the ramp's beginning.
        return Math.max(1e-7, points[argmin(smoothed)]!.lr / 10);
      });
      const median = suggested.sort((a, b) => a - b)[1]!;
      const { rate, baseLr, low, high } = record.suggestion!.peak;
      expect(record.suggestion!.constant.rate).toBe(rate);
      expect(rate).toBeCloseTo(median, 12);
      expect(baseLr).toBeCloseTo(median / 6, 12);
      expect(low).toBeCloseTo(suggested[0]!, 12);
      expect(high).toBeCloseTo(suggested[2]!, 12);
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
          ...{ to: 1, epochs: 2, smoothing: "published" },
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
        reading: "published",
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
      if (bounds)
        expect(record.suggestion!.peak).toMatchObject({
          ...{ rule: "elbow", rate: bounds.maxLr, baseLr: bounds.baseLr },
        });
      else expect(record.warnings.join()).toContain('no curve carries the rule "elbow"');
    });

    test("a rule that no curve carries is replaced, and that is said", async () => {
      const asked = { rule: "slide", reading: "published" } as const;
      const record = await rangeTest({ ...setup(), optimizer: sgd(), to: 1, ...asked });
      expect((record.suggestion ?? record.unguarded)!.peak.rule).toBe("minimum/10");
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
      await rangeTest({ ...setup(), optimizer: sgd(), epochs: 2 });
      const after = await train();
      for (const [name, { data }] of before.last!.tensors)
        expect(after.last!.tensors.get(name)!.data, name).toEqual(data);
    });
  });

  describe("confirmSuggestion", () => {
    test("three rates over the same seeds; the regret is the paired gap to the best", async () => {
      const rates: number[] = [];
      const found = await confirmSuggestion({
        ...setup(),
        optimizer: sgd({ momentum: 0.9 }),
        rate: 1e-4,
        epochs: 3,
        seeds: [0, 1],
        onEvent: (event) => {
          if (event.type === "epoch") rates.push(event.metrics.lr);
        },
      });
      const [third, own, three] = found.candidates;
      expect(found.candidates.map(({ rate }) => rate)).toEqual([(1 / 3) * 1e-4, 1e-4, 3 * 1e-4]);
      expect(new Set(rates)).toEqual(new Set([(1 / 3) * 1e-4, 1e-4, 3 * 1e-4]));
      expect(rates).toHaveLength(3 * 2 * 3);
      // Far too small a rate: three times it is the best of the three.
      expect(found.best).toBe(3 * 1e-4);
      expect(three!.validationAccuracy.mean!).toBeGreaterThan(third!.validationAccuracy.mean!);
      expect(found.regret.values).toEqual(
        three!.validationAccuracy.values.map(
          (value, i) => value! - own!.validationAccuracy.values[i]!,
        ),
      );
      const { metrics } = await fit({
        ...setup(),
        optimizer: sgd({ momentum: 0.9 }),
        schedule: constant(1e-4),
        epochs: 3,
        seed: 1,
      });
      expect(own!.validationAccuracy.values[1]).toBe(metrics.at(-1)!.validationAccuracy);
    });

    test("a rate that diverges counts with accuracy 0; nonsense is refused", async () => {
      const options = { ...setup(), optimizer: sgd(), epochs: 1, seeds: [0] };
      const found = await confirmSuggestion({ ...options, rate: 1e37 });
      expect(found.candidates.map((one) => one.validationAccuracy.mean)).toEqual([0, 0, 0]);
      expect(found.regret.mean).toBe(0);
      expect(found.best).toBe(1e37);
      for (const [wrong, message] of [
        [{ rate: 0 }, "rate must be a positive number"],
        [{ rate: 1, epochs: 0 }, "epochs must be a positive integer"],
        [{ rate: 1, seeds: [] }, "at least one seed"],
      ] as const)
        await expect(confirmSuggestion({ ...options, ...wrong })).rejects.toThrow(message);
    });
  });
});
