import { describe, expect, test } from "vitest";
import { summarize } from "../../src/analysis/index.ts";
import { summaryRecord } from "../../src/record/index.ts";
import {
  cosineDecay,
  exponential,
  oneCycle,
  piecewise,
  sequence,
  triangular,
  warmup,
} from "../../src/schedules/index.ts";
import { fakeExperiment, fakeTrials } from "./fake-records.ts";

const arms = ["adam", "sgd+clr"];
const experiment = fakeExperiment({ epochs: 12, arms });

describe("summarize", () => {
  const trials = fakeTrials({ epochs: 12, arms });
  const summary = summarize(experiment, trials);

  test("is a valid record, arms in the experiment's order", () => {
    expect(summaryRecord.parse(summary)).toEqual(summary);
    expect(summary.optimizers.map(({ name }) => name)).toEqual(experiment.arms.map((a) => a.name));
  });

  test("final, best and last ten, by hand", () => {
    const own = trials.filter(({ trial }) => trial.arm === "adam");
    const curves = own.map(({ metrics }) => metrics.map((line) => line.validationAccuracy!));
    const adam = summary.optimizers.find(({ name }) => name === "adam")!;
    expect(adam.finalValidationAccuracy.values).toEqual(curves.map((curve) => curve[11]));
    expect(adam.bestValidationAccuracy.values).toEqual(curves.map((c) => Math.max(...c)));
    const last = curves.map((curve) => curve.slice(2, 12).reduce((a, b) => a + b) / 10);
    adam.last10ValidationAccuracy.values.forEach((value, i) => {
      expect(value).toBeCloseTo(last[i]!, 12);
    });
    expect(adam.seeds).toEqual([0, 1, 2]);
    expect(adam.learningRates).toEqual([1e-3, 1e-3, 1e-3]);
  });

  test("does not depend on the order of the trials", () => {
    expect(summarize(experiment, [...trials].reverse())).toEqual(summary);
  });

  test("a diverged seed has no final value, but counts, and keeps its best epoch", () => {
    const some = fakeTrials({ epochs: 12, arms, diverged: { adam: [null, 5, null] } });
    const adam = summarize(experiment, some).optimizers.find(({ name }) => name === "adam")!;
    expect(adam.diverged).toBe(1);
    expect(adam.finalValidationAccuracy.values[1]).toBeNull();
    expect(adam.last10ValidationAccuracy.values[1]).toBeNull();
    expect(adam.bestValidationAccuracy.values[1]).toBeGreaterThan(0.3);
    expect(adam.finalValidationAccuracy.mean).toBeCloseTo(
      (adam.finalValidationAccuracy.values[0]! + adam.finalValidationAccuracy.values[2]!) / 2,
      12,
    );
  });

  test("an arm that has not begun is absent; one at its start has nothing but gaps", () => {
    const [first] = trials;
    const begun = {
      trial: { ...first!.trial, status: "running" as const, msPerStep: null },
      metrics: [],
    };
    const { optimizers } = summarize(experiment, [begun]);
    expect(optimizers).toHaveLength(1);
    expect(optimizers[0]!.bestValidationAccuracy).toEqual({
      mean: null,
      sd: null,
      values: [null],
      interval: null,
    });
    expect(optimizers[0]!.msPerStep).toBeNull();
  });

  test.each([
    ["triangular", triangular({ base: 0.01, max: 0.06, stepSize: 3 }), 0.06],
    ["cosineDecay", cosineDecay({ peak: 0.1, floor: 0.01, steps: 9 }), 0.1],
    ["oneCycle", oneCycle({ max: 0.3, steps: 20 }), 0.3],
    [
      "sequence",
      sequence([2, oneCycle({ max: 0.2, steps: 20 })], [3, cosineDecay({ peak: 0.4, steps: 3 })]),
      0.4,
    ],
    ["exponential", exponential({ rate: 0.1, factor: 0.9 }), 0.1],
    [
      "piecewise",
      piecewise({
        points: [
          [0, 0.1],
          [4, 0.7],
        ],
      }),
      0.7,
    ],
    ["warmup", warmup(cosineDecay({ peak: 0.2, steps: 9 }), { steps: 3 }), 0.2],
    [
      "a run that ends before its peak",
      piecewise({
        points: [
          [0, 0.1],
          [1e6, 5],
        ],
      }),
      0.1,
    ],
  ])("the learning rate of %s is its greatest", (_, schedule, want) => {
    const { trial, metrics } = trials[0]!;
    const { optimizers } = summarize(experiment, [
      { trial: { ...trial, schedule: schedule.toJSON() }, metrics },
    ]);
    expect(optimizers[0]!.learningRates).toEqual([want]);
  });

  test("a schedule of another version: the greatest rate that the epochs recorded", () => {
    const { trial, metrics } = trials[0]!;
    const { optimizers } = summarize(experiment, [
      { trial: { ...trial, schedule: { type: "zigzag" } }, metrics },
    ]);
    expect(optimizers[0]!.learningRates).toEqual([Math.max(...metrics.map(({ lr }) => lr))]);
  });
});
