/** @file The options of a protocol on the synthetic images: rates, budgets, scores, sensitivity. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AddonError } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { flatten, linear, network, sequential } from "../../src/layers/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import type { Backend } from "../../src/program/index.ts";
import { formatRate, piecewise } from "../../src/schedules/index.ts";
import { compare } from "../../src/study/compare.ts";
import { fit } from "../../src/train/fit.ts";
import { engineAbsent } from "../cli/temporary.ts";

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
  /** Without batch norm, whose statistics would move. */
  const flat = () =>
    network({
      name: "flat",
      inputShape: [3, 16, 16],
      classes: 4,
      layer: sequential({ flatten: flatten(), fc: linear({ features: 4 }) }),
    });

  describe("fit", () => {
    test("each class's accuracy, and their mean, stand beside the accuracy", async () => {
      const { metrics, trial } = await fit({ ...setup(), optimizer: adam(), epochs: 1 });
      const { validationAccuracy, validationPerClass, validationBalancedAccuracy } = metrics[0]!;
      expect(validationPerClass).toHaveLength(4);
      // 13 images of each class validate: the mean over classes is that over images.
      const mean = validationPerClass!.reduce((sum, value) => sum! + value! / 4, 0);
      expect(validationAccuracy).toBeCloseTo(mean!, 12);
      expect(validationBalancedAccuracy).toBeCloseTo(mean!, 12);
      expect(trial.test).toBeUndefined();
    });

    test("the test part is scored once, by the weights that were best on validation", async () => {
      // The same images once more: the score of the best weights there is known.
      const tested: Dataset = { ...dataset, test: dataset.validation };
      const { trial, metrics } = await fit({
        ...setup(),
        dataset: tested,
        // Falls apart in the end, so that the last weights are not the best.
        optimizer: adam(),
        schedule: piecewise({
          points: [
            [0, 1e-2],
            [42, 0.3],
          ],
        }),
        epochs: 7,
      });
      const best = metrics.reduce((a, b) =>
        b.validationAccuracy! > a.validationAccuracy! ? b : a,
      );
      expect(best.epoch).toBeLessThan(7);
      expect(trial.test).toMatchObject({
        epoch: best.epoch,
        images: 52,
        accuracy: best.validationAccuracy,
        loss: best.validationLoss,
        perClass: best.validationPerClass,
        balancedAccuracy: best.validationBalancedAccuracy,
      });
      const right = trial.test!.confusion!.reduce((sum, row, k) => sum + row[k]!, 0);
      expect(right / 52).toBe(best.validationAccuracy);
    });

    test("balanced class weights are those of the training split's counts", async () => {
      const { labels } = dataset;
      const kept = [60, 5, 10, 25].flatMap((count, label) =>
        Array.from(dataset.train.filter((i) => labels[i] === label)).slice(0, count),
      );
      const total = kept.length;
      const counts = [0, 1, 2, 3].map((k) => kept.filter((i) => labels[i] === k).length);
      const uneven = { ...dataset, train: Int32Array.from(kept).sort() };
      const run = async (classWeights: "balanced" | number[]) =>
        fit({ ...setup(), dataset: uneven, classWeights, optimizer: sgd(), epochs: 1 });
      const balanced = await run("balanced");
      const given = await run(counts.map((count) => total / (4 * count)));
      expect(balanced.metrics[0]!.trainLoss).toBe(given.metrics[0]!.trainLoss);
    });

    test("validates every third epoch and the last; what is not validated is no divergence", async () => {
      const { metrics, trial } = await fit({
        ...setup(),
        optimizer: adam(),
        epochs: 4,
        evalEvery: 3,
      });
      expect(metrics.map(({ validationAccuracy }) => validationAccuracy !== null)).toEqual([
        false,
        false,
        true,
        true,
      ]);
      expect(metrics[0]).toMatchObject({ validationLoss: null });
      expect(metrics[0]).not.toHaveProperty("diverged");
      expect(trial).toMatchObject({ status: "done" });
      expect(trial).not.toHaveProperty("endedBy");
    });

    test.each([
      // A time that the first epoch uses up, whatever the machine; it is validated all the same.
      [{ time: 1e-9, evalEvery: 5 }, 1, "time"],
      [{ targetAccuracy: 1e-9 }, 1, "target accuracy"],
      // Weights that hardly move: nothing gets better.
      [{ earlyStopping: 2 }, 3, "early stopping"],
    ] as const)("a budget of %o ends after %i epochs", async (budget, epochs, endedBy) => {
      const { trial, metrics, last } = await fit({
        ...setup(),
        network: flat(),
        optimizer: sgd({ learningRate: 1e-30 }),
        epochs: 9,
        ...budget,
      });
      expect(metrics).toHaveLength(epochs);
      expect(metrics.at(-1)!.validationAccuracy).not.toBeNull();
      expect(trial).toMatchObject({ status: "done", endedBy, epochs: 9 });
      expect(JSON.parse(last!.metadata.epoch!)).toBe(epochs);
    });
  });

  describe("compare", () => {
    const run = (extra: object = {}) =>
      compare({ ...setup(), epochs: 2, seeds: [0, 1], optimizers: ["sgd+clr", "adam"], ...extra });

    test("range tests for every arm: the median over their seeds, for constant arms too", async () => {
      const { rangeTests, trials, experiment } = await run({
        optimizers: ["sgd+clr", "adam", "adadelta", "rmsprop@1e-3", "adam+cosine"],
        learningRates: "range-test",
        finderSeeds: 3,
        rangeTestEpochs: 1,
        reading: "published",
        seeds: [4],
        epochs: 1,
      });
      expect(
        rangeTests.map(({ arm, to, runs }) => [arm, to, runs.map(({ seed }) => seed)]),
      ).toEqual([
        ["sgd+clr", 0.1, [4, 5, 6]],
        ["adam", 0.1, [4, 5, 6]],
        // Its default rate is 1.
        ["adadelta", 10, [4, 5, 6]],
        ["adam+cosine", 0.1, [4, 5, 6]],
      ]);
      const [, adam, , rmsprop, cosine] = trials.map(({ trial }) => trial);
      const { rate: maxLr, low, high } = rangeTests[1]!.suggestion!.constant;
      expect(adam!.schedule).toEqual({ type: "constant", rate: maxLr });
      expect(adam!.learningRateSource).toBe(
        `range test, median of 3 seeds: ${formatRate(maxLr)} (${formatRate(low)} to ${formatRate(high)})`,
      );
      expect(low).toBeLessThanOrEqual(maxLr);
      expect(maxLr).toBeLessThanOrEqual(high);
      expect(rmsprop!.learningRateSource).toBe("given: 1e-3");
      expect(cosine!.schedule).toMatchObject({ peak: rangeTests[3]!.suggestion!.constant.rate });
      expect(experiment.protocol).toMatchObject({ learningRates: "range-test", finderSeeds: 3 });
    });

    test("a sensitivity analysis trains each arm at multiples of its rate", async () => {
      const { experiment, trials, summary, rangeTests } = await run({
        optimizers: ["adam", "sgd+clr", "rmsprop@2e-3"],
        sensitivity: 3,
        seeds: [0],
        epochs: 1,
        rangeTestEpochs: 1,
        ...{ reading: "published", force: true },
      });
      // One range test serves the arm and its multiples.
      expect(rangeTests.map(({ arm }) => arm)).toEqual(["sgd+clr"]);
      const { suggestion, unguarded } = rangeTests[0]!;
      const { rate: maxLr } = (suggestion ?? unguarded)!.peak;
      const rateOf = ({ schedule }: { schedule: Record<string, unknown> }) =>
        (schedule.rate ?? schedule.max) as number;
      const expected = [
        ["adam x0.1", 1e-4],
        ["adam", 1e-3],
        ["adam x10", 1e-2],
        ["sgd+clr x0.1", 0.1 * maxLr],
        ["sgd+clr", maxLr],
        ["sgd+clr x10", 10 * maxLr],
        ["rmsprop@2e-3 x0.1", 2e-4],
        ["rmsprop@2e-3", 2e-3],
        ["rmsprop@2e-3 x10", 2e-2],
      ] as const;
      expect(trials.map(({ trial }) => trial.arm)).toEqual(expected.map(([name]) => name));
      for (const [i, [, rate]] of expected.entries())
        expect(rateOf(trials[i]!.trial)).toBeCloseTo(rate, 12);
      expect(trials[0]!.trial.learningRateSource).toBe("0.1 x default of adam");
      expect(trials[0]!.trial.slug).toBe("adam_x0.1");
      expect(experiment.arms[0]!.sensitivity).toEqual({ of: "adam", factor: 0.1 });
      expect(experiment.protocol.sensitivity).toBe(3);
      expect(
        summary.sensitivity!.map(({ arm, points }) => [arm, points.map((p) => p.factor)]),
      ).toEqual(["adam", "sgd+clr", "rmsprop@2e-3"].map((arm) => [arm, [0.1, 1, 10]]));
      await expect(run({ sensitivity: 4 })).rejects.toThrow("sensitivity must be an odd number");
    });

    test("a range test that fails ends its arm alone, and is recorded", async () => {
      let sessions = 0;
      const { backend } = setup();
      const failing: Backend = {
        ...backend,
        async openSession(options) {
          if (++sessions === 1) throw new AddonError("no memory for it");
          return await backend.openSession(options);
        },
      };
      const { trials, summary, experiment } = await run({ backend: failing });
      expect(trials.map(({ trial }) => [trial.arm, trial.status, trial.failure])).toEqual([
        ["sgd+clr", "failed", "range test of sgd+clr: no memory for it"],
        ["sgd+clr", "failed", "range test of sgd+clr: no memory for it"],
        ["adam", "done", null],
        ["adam", "done", null],
      ]);
      expect(summary.optimizers.map(({ failed }) => failed)).toEqual([2, 0]);
      expect(experiment.protocol).not.toHaveProperty("learningRates");
    });

    test("an arm that is behind is pruned after the warm-up, and its last epoch counts nowhere", async () => {
      const { trials, summary, experiment } = await run({
        optimizers: ["adam@1e-2", "adam@9e-3", "sgd@1e-30"],
        seeds: [0],
        epochs: 8,
        prune: 6,
      });
      expect(trials.map(({ trial, metrics }) => [trial.status, metrics.length])).toEqual([
        ["done", 8],
        ["done", 8],
        ["pruned", 6],
      ]);
      expect(trials[2]!.trial.endedBy).toBe("pruned");
      expect(summary.optimizers[2]).toMatchObject({ pruned: 1, unfinished: 0 });
      expect(summary.optimizers[2]!.finalValidationAccuracy.mean).toBeNull();
      expect(experiment.protocol).toMatchObject({ prune: 6 });
    });
  });
});
