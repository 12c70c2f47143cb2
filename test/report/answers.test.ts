/** @file What a summary says beyond final accuracy, on trials small enough to work out by hand. */

import { describe, expect, test } from "vitest";
import {
  chooseTargets,
  performanceProfile,
  sensitivityFactors,
  summarize,
} from "../../src/analysis/index.ts";
import {
  type ArmRecord,
  type ExperimentRecord,
  summaryRecord,
  type TrialHistory,
} from "../../src/record/index.ts";
import { base, template, trial } from "./measured.ts";

const only = (trials: readonly TrialHistory[], targets?: readonly number[]) =>
  summarize(base, trials, targets ? { targets } : {}).optimizers[0]!;

describe("an arm's quantities", () => {
  const adam = only(
    [trial("adam", 0, [0.2, 0.6, 0.5, 0.7]), trial("adam", 1, [0.4, 0.4, 0.6, 0.5])],
    [0.6, 0.65],
  );

  test("losses: final, least, last ten", () => {
    expect(adam.finalValidationLoss!.values[0]).toBeCloseTo(0.3, 12);
    expect(adam.bestValidationLoss!.values[1]).toBeCloseTo(0.4, 12);
    expect(adam.last10ValidationLoss!.values[0]).toBeCloseTo(0.5, 12);
  });

  test("generalisation gap and area under the curve", () => {
    expect(adam.generalisationGap!.mean).toBeCloseTo(0.1, 12);
    // Trapezoids (0.4 + 0.55 + 0.6) / 3.
    expect(adam.accuracyArea!.values[0]).toBeCloseTo((0.4 + 0.55 + 0.6) / 3, 12);
    expect(only([trial("adam", 0, [0.3])]).accuracyArea!.mean).toBe(0.3);
  });

  test("epochs that were not validated are bridged, not counted as 0", () => {
    const sparse = only([trial("adam", 0, [null, 0.4, null, 0.6])]);
    expect(sparse.finalValidationAccuracy.mean).toBe(0.6);
    expect(sparse.accuracyArea!.mean).toBeCloseTo(0.5, 12);
    expect(sparse.bestValidationAccuracy.mean).toBe(0.6);
  });

  test("epochs and seconds to a target; a miss is a miss", () => {
    expect(adam.timeToTarget).toEqual([
      {
        target: 0.6,
        epochs: [2, 3],
        seconds: [20, 30],
        reached: 2,
        medianEpochs: 2.5,
        medianSeconds: 25,
      },
      {
        target: 0.65,
        epochs: [4, null],
        seconds: [40, null],
        reached: 1,
        medianEpochs: null,
        medianSeconds: null,
      },
    ]);
  });

  test("the median of three is there though one missed; a diverged trial's hit counts", () => {
    const three = only(
      [
        trial("adam", 0, [0.7]),
        trial("adam", 1, [0.1, 0.7], { status: "diverged" }),
        trial("adam", 2, [0.1]),
      ],
      [0.6],
    );
    expect(three.timeToTarget![0]).toMatchObject({ epochs: [1, 2, null], medianEpochs: 2 });
    expect(three).toMatchObject({ diverged: 1, failed: 0, unfinished: 0 });
  });

  test("a trial that has not ended and is not there yet is no miss", () => {
    const running = { status: "interrupted" } as const;
    const arms = [
      trial("adam", 0, [0.7]),
      trial("adam", 1, [0.1], running),
      trial("adam", 2, [0.1, 0.7], running),
      trial("adamax", 0, [0.1, 0.7]),
      trial("adamax", 1, [0.7]),
      trial("adamax", 2, [0.1]),
    ];
    const { optimizers } = summarize(base, arms, { targets: [0.6] });
    const [adam, adamax] = ["adam", "adamax"].map(
      (name) => optimizers.find((o) => o.name === name)!,
    );
    expect(adam!.timeToTarget![0]).toMatchObject({
      epochs: [1, null, 2],
      reached: 2,
      openSeeds: [1],
      medianEpochs: 1.5,
    });
    expect(adamax!.timeToTarget![0]).not.toHaveProperty("openSeeds");
    // Without seed 1, adamax takes 2 times as long once, and misses once; tau goes from 1 to 4.
    const profile = performanceProfile([adam!, adamax!]);
    expect(profile.curves.map(({ values }) => values[0])).toEqual([1, 0]);
    expect(profile.curves[1]!.score).toBeCloseTo((4 - 2) / 3 / 2, 12);
  });

  test("scores of the test part, by class in the data set's order", () => {
    const score = (accuracy: number) => ({
      epoch: 3,
      images: 100,
      loss: 0.5,
      accuracy,
      balancedAccuracy: accuracy - 0.05,
      perClass: [accuracy, 0.2, 0.3, 0.4, null],
    });
    const tested = only([
      trial("adam", 0, [0.5], { test: score(0.6) }),
      trial("adam", 1, [0.5], { test: score(0.7) }),
      trial("adam", 2, [0.5]),
    ]);
    expect(tested.testAccuracy).toMatchObject({ values: [0.6, 0.7, null] });
    expect(tested.testBalancedAccuracy!.mean).toBeCloseTo(0.6, 12);
    expect(tested.testPerClass!.map((entry) => [entry.class, entry.accuracy.values])).toEqual([
      ["daisy", [0.6, 0.7, null]],
      ["dandelion", [0.2, 0.2, null]],
      ["rose", [0.3, 0.3, null]],
      ["sunflower", [0.4, 0.4, null]],
      ["tulip", [null, null, null]],
    ]);
    expect(adam.testAccuracy).toBeUndefined();
  });

  test("cost, and where the rate came from", () => {
    const own = only([
      trial("adam", 0, [0.5], { msPerStep: 10, optimizerShare: 0.1 }),
      trial("adam", 1, [0.5], { msPerStep: 20, optimizerShare: 0.3 }),
      trial("adam", 2, [0.5], { msPerStep: 90, optimizerShare: null }),
    ]);
    expect(own).toMatchObject({
      msPerStep: 20,
      optimizerShare: 0.2,
      learningRateSources: [template!.trial.learningRateSource],
    });
  });
});

describe("targets", () => {
  test("round accuracies on the way from guessing to the best", () => {
    expect(chooseTargets(0.24, 0.83)).toEqual([0.5, 0.65, 0.75, 0.8]);
    expect(chooseTargets(0.1, 0.99)).toEqual([0.5, 0.75, 0.9, 0.95]);
    expect(chooseTargets(0.25, 0.41)).toEqual([0.33, 0.37, 0.39, 0.4]);
  });
  test("none where nothing was learned", () => {
    expect(chooseTargets(0.25, 0.25)).toEqual([]);
    expect(chooseTargets(0.25, 0.2)).toEqual([]);
  });
});

describe("performance profile", () => {
  test("by hand: two targets, two seeds, misses never", () => {
    const { optimizers } = summarize(
      base,
      [
        trial("adam", 0, [0.5, 0.7, 0.7]),
        trial("adam", 1, [0.1, 0.5, 0.5]),
        trial("adamax", 0, [0.1, 0.5, 0.1]),
        trial("adamax", 1, [0.5, 0.5, 0.7]),
      ],
      { targets: [0.5, 0.7] },
    );
    // Ratios: adam 1, 1 (seed 0), 2, miss (seed 1); adamax 2, miss, 1, 1.
    const profile = performanceProfile(optimizers);
    const at = (arm: number, tau: number) =>
      profile.curves[arm]!.values[profile.taus.findIndex((value) => value >= tau - 1e-9)];
    expect([at(0, 1), at(0, 1.95), at(0, 2), at(0, 4)]).toEqual([0.5, 0.5, 0.75, 0.75]);
    expect(profile.curves[0]!.score).toBeCloseTo((3 + 3 + 2 + 0) / (4 * 3), 12);
    expect(profile.curves[1]!.score).toBeCloseTo(profile.curves[0]!.score, 12);
  });
});

describe("sensitivity", () => {
  test("factors are even in the logarithm", () => {
    expect(sensitivityFactors(5)).toEqual([0.1, 0.3162, 1, 3.162, 10]);
    expect(sensitivityFactors(3)).toEqual([0.1, 1, 10]);
  });

  const point = (factor: number): ArmRecord => ({
    name: factor === 1 ? "adam" : `adam x ${factor}`,
    slug: `adam-${factor}`,
    optimizer: "adam",
    schedule: null,
    learningRate: factor * 1e-3,
    sensitivity: { of: "adam", factor },
  });
  const experiment: ExperimentRecord = {
    ...base,
    arms: [...[10, 0.1, 1, 0.3162, 3.162].map(point), base.arms[1]!],
  };
  const summary = summarize(experiment, [
    trial("adam x 0.1", 0, [0.6]),
    trial("adam x 0.3162", 0, [0.8]),
    trial("adam", 0, [0.79]),
    trial("adam x 3.162", 0, [0.75]),
    trial("adam x 10", 0, [0.1], { status: "diverged" }),
    trial("adamax", 0, [0.7]),
  ]);

  test("points in order; the width is interpolated to 0.02 below the best on either side", () => {
    const [analysis] = summary.sensitivity!;
    expect(analysis!.points.map(({ factor }) => factor)).toEqual([0.1, 0.3162, 1, 3.162, 10]);
    expect(analysis!.bestFactor).toBe(0.3162);
    // Left: a tenth of half a decade. Right: half a decade, and a quarter of the next (0.79 to 0.75).
    expect(analysis!.widthDecades).toBeCloseTo(0.05 + 0.5 + 0.125, 3);
  });

  test("points off the arm's own rate are no contestants", () => {
    expect(summary.pairs!.map(({ a, b }) => [a, b])).toEqual([["adam", "adamax"]]);
    expect(summary.conclusion).toContain("adam over 0.7");
    expect(summary.conclusion).toContain("adam (at 0.3162 times it)");
  });

  test("of equal points the one nearest to the arm's own rate is the best", () => {
    const level = summarize(experiment, [
      trial("adam x 0.1", 0, [0.7]),
      trial("adam x 0.3162", 0, [0.8]),
      trial("adam", 0, [0.8]),
      trial("adam x 3.162", 0, [0.8]),
    ]);
    expect(level.sensitivity![0]!.bestFactor).toBe(1);
  });

  test("the whole is a valid record", () => {
    expect(summaryRecord.parse(summary)).toEqual(summary);
  });
});
