/** @file Counts and numbers at their ends, where the library is called: bounded work, or a refusal by name. */

import { describe, expect, test } from "vitest";
import { checkEnds } from "../arms/check-ends.ts";
import { LrscopeError } from "../core/errors.ts";
import { createOptimizer, optimizerNames, Scalar, Vector } from "../optimizers/index.ts";
import { greatestRate, momentumBeside, scheduleFromJSON, snapCycles } from "../schedules/index.ts";
import { ramp } from "./range-test.ts";
import { ratesOf } from "./rates.ts";
import { updatesOfRun } from "./run-length.ts";

const EXTREMES = [
  -1,
  -0,
  0,
  5e-324,
  1e-310,
  0.1,
  1,
  1e15,
  2 ** 53 - 1,
  2 ** 53,
  1e300,
  1e308,
  Number.MAX_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** What was made, or null where it was refused as an argument. */
function made<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof LrscopeError && error.code === "ARGUMENT")) throw error;
    expect(error.message.length).toBeLessThan(700);
    return null;
  }
}

const inner = { type: "triangular", base: 1e-3, max: 6e-3, stepSize: 3 };
const SPECS = [
  { type: "constant", rate: 0.1 },
  { ...inner, stepDown: 4 },
  { ...inner, type: "triangular2" },
  { ...inner, type: "expRange", gamma: 0.99 },
  { ...inner, type: "expRange", gamma: 0.99, decay: "bounds" },
  {
    type: "oneCycle",
    max: 0.1,
    steps: 100,
    riseFraction: 0.3,
    startDivisor: 25,
    endDivisor: 1e4,
    phases: 3,
    fallFraction: 0.7,
  },
  { type: "cosineDecay", peak: 0.1, floor: 0, steps: 100 },
  { type: "cosineRestarts", peak: 0.1, floor: 0, cycleSteps: 7, growth: 1.5 },
  { type: "linearRamp", from: 0, to: 0.1, steps: 100 },
  { type: "trapezoidal", peak: 0.1, steps: 100, decaySteps: 20, warmupSteps: 5, from: 0, floor: 0 },
  { type: "inverseSqrt", peak: 0.1, warmupSteps: 10, from: 0 },
  { type: "polynomial", from: 0.1, to: 0, steps: 100, power: 2 },
  { type: "exponential", rate: 0.1, factor: 0.9, every: 2 },
  { type: "stepDecay", rate: 0.1, factor: 0.1, every: 30 },
  { type: "multiStep", rate: 0.1, milestones: [30, 60], factor: 0.1 },
  { type: "warmup", steps: 5, from: 1e-3, shape: "exponential", schedule: inner },
  { type: "repeat", steps: 5, times: 3, schedule: inner },
  { type: "stretch", steps: 5, to: 7, after: 2, schedule: inner },
  { type: "clip", min: 1e-3, max: 1, schedule: inner },
  { type: "inverseMomentum", low: 0.8, high: 0.9, schedule: inner },
  { type: "holdAfter", steps: 5, schedule: inner },
] as const;

describe.each(SPECS)("$type", (spec) => {
  const fields = Object.entries(spec).filter(([, value]) => typeof value === "number");

  test.each(fields)("%s at its ends", (field) => {
    for (const value of EXTREMES) {
      const schedule = made(() => scheduleFromJSON({ ...spec, [field]: value }));
      if (!schedule) continue;
      for (const t of [0, 1, 17, 1e6, 1e15, 2 ** 53 - 1]) {
        expect(schedule(t)).not.toBeNaN();
        expect(schedule(t)).toBeGreaterThanOrEqual(0);
        expect(schedule.nextTurn!(t)).toBeGreaterThan(t);
      }
      expect(greatestRate(schedule, 2 ** 53 - 1)).not.toBeNaN();
      made(() => schedule.cycleEnd && snapCycles(schedule, 1e15)(5e14));
      made(() => momentumBeside(schedule)?.(5));
    }
  });
});

describe.each(optimizerNames)("%s", (name) => {
  const hyperparameters = Object.keys(createOptimizer(name).hyperparameters);

  test("hyperparameters at their ends, for a run of 2^53 - 1 updates", () => {
    for (const field of hyperparameters)
      for (const value of EXTREMES) {
        const optimizer = made(() => createOptimizer(name, { [field]: value }));
        if (!optimizer) continue;
        const schedule = scheduleFromJSON({ ...inner, stepSize: 1e13 });
        made(() => ratesOf({ optimizer, schedule, updates: 2 ** 53 - 1, warn: () => undefined }));
      }
  });
});

test("nadam's factors of almost one are not multiplied over a run that has not begun", () => {
  const optimizer = createOptimizer("nadam", { beta1: 1 - 2 ** -53, momentumDecay: 1e6 });
  const schedule = scheduleFromJSON(inner);
  const rates = ratesOf({ optimizer, schedule, updates: 1e15, warn: () => undefined });
  expect(rates.after([]).learningRate(3)).toBe(6e-3);
});

test("ramps of a range test, budgets and lengths of runs", () => {
  for (const a of EXTREMES)
    for (const b of EXTREMES) {
      for (const kind of ["exponential", "linear"] as const) {
        const rate = made(() => ramp({ from: a, to: b, updates: 9, kind }));
        for (let t = 0; rate && t < 12; t++) {
          expect(rate(t)).toBeGreaterThanOrEqual(a);
          expect(rate(t)).toBeLessThanOrEqual(b);
        }
      }
      made(() => checkEnds("x", { time: a, evalEvery: b, earlyStopping: b, prune: b }));
    }
  expect(() => updatesOfRun("train", 1e15, 100)).toThrow(
    "train: --epochs must be at most 90071992547409, where an epoch has 100 updates",
  );
  expect(updatesOfRun("train", 1e13, 100)).toBe(1e15);
});

test("expressions of an optimizer are read by recursion: they are bounded where they are written", () => {
  let deep = new Vector({ kind: "fill", value: new Scalar({ kind: "count" }) });
  const deepen = () => {
    for (let i = 0; i < 10_000; i++) deep = deep.square();
  };
  expect(deepen).toThrow("optimizer expression: must be at most 1000 operations deep");
  let doubled = new Scalar({ kind: "count" });
  const double = () => {
    for (let i = 0; i < 60; i++) doubled = doubled.add(doubled);
  };
  expect(double).toThrow("a scalar of at most 10000 scalars");
});
