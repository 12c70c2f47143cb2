import { describe, expect, test } from "vitest";
import { constant, cosineDecay, cosineRestarts, oneCycle, triangular } from "../schedules/index.ts";
import { averageBegins, averageWeights, cycleEnds, snapshotEpochs } from "./averages.ts";

const clr = triangular({ base: 0.1, max: 1, stepSize: 10 });

describe("cycleEnds", () => {
  test.each([
    // The least rate is that of update 20: then 21 are made.
    ["triangular, two cycles", clr, 40, [21, 40]],
    ["triangular, cut in the third", clr, 50, [21, 41, 50]],
    ["constant", constant(0.1), 40, []],
    ["falling only", cosineDecay({ peak: 1, steps: 40 }), 40, []],
    ["one cycle", oneCycle({ max: 1, steps: 40 }), 40, [40]],
    ["restarts", cosineRestarts({ peak: 1, cycleSteps: 10 }), 30, [10, 20, 30]],
  ] as const)("%s", (_, schedule, updates, ends) => {
    expect(cycleEnds({ schedule, updates })).toEqual(ends);
  });
});

describe("averageWeights", () => {
  const run = { schedule: clr, updates: 60, updatesPerEpoch: 10 };

  test("swa: equal shares of the weights at the ends of cycles", () => {
    const weight = averageWeights({ kind: "swa" }, run);
    const moments = Array.from({ length: 60 }, (_, t) => weight(t));
    expect(moments.flatMap((w, t) => (w > 0 ? [[t, w]] : []))).toEqual([
      [20, 1],
      [40, 1 / 2],
      [59, 1 / 3],
    ]);
    expect(averageBegins({ kind: "swa" }, run)).toBe(21);
  });

  test("swa without cycles: the epochs of the last quarter", () => {
    const flat = { schedule: constant(0.1), updates: 80, updatesPerEpoch: 10 };
    const weight = averageWeights({ kind: "swa" }, flat);
    expect([59, 69, 79].map(weight)).toEqual([0, 1, 1 / 2]);
  });

  test("ema: from the first update, with bias correction; a decay of 1 is refused", () => {
    const weight = averageWeights({ kind: "ema", decay: 0.9 }, run);
    expect(weight(0)).toBeCloseTo(1, 15);
    expect(weight(1)).toBeCloseTo(0.1 / 0.19, 15);
    expect(averageBegins({ kind: "ema", decay: 0.9 }, run)).toBe(1);
    expect(() => averageWeights({ kind: "ema", decay: 1 }, run)).toThrow("average: decay");
  });
});

describe("snapshotEpochs", () => {
  test("the epochs with which cycles end", () => {
    const run = { schedule: clr, updates: 60, updatesPerEpoch: 10 };
    expect(snapshotEpochs(run)).toEqual([2, 4, 6]);
  });

  test.each([
    [constant(0.1), 10, "this one has none; use a cyclical schedule"],
    [clr, 13, "one ends after update 21, where an epoch has 13"],
  ])("refuses %#", (schedule, updatesPerEpoch, message) => {
    expect(() => snapshotEpochs({ schedule, updates: 60, updatesPerEpoch })).toThrow(message);
  });
});
