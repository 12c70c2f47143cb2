import { describe, expect, test } from "vitest";
import {
  clip,
  constant,
  cosineDecay,
  cosineRestarts,
  defineSchedule,
  expRange,
  oneCycle,
  repeat,
  type Schedule,
  stretch,
  trapezoidal,
  triangular,
  warmup,
} from "../../schedules/index.ts";
import { averageBegins, averageWeights, cycleEnds, snapshotEpochs } from "./averages.ts";

const clr = triangular({ base: 0.1, max: 1, stepSize: 10 });

describe("cycleEnds", () => {
  test.each([
    // The least rate is that of update 20: then 21 are made.
    ["triangular, two cycles", clr, 40, [21, 40]],
    ["triangular, cut in the third", clr, 50, [21, 41, 50]],
    ["constant", constant(0.1), 40, []],
    ["falling only", cosineDecay({ peak: 1, steps: 40 }), 40, []],
    ["one cycle", oneCycle({ max: 1, steps: 40 }), 40, []],
    ["a warm-up before a fall", warmup(cosineDecay({ peak: 1, steps: 36 }), { steps: 4 }), 40, []],
    [
      "a warm-up, flat, and down",
      trapezoidal({ peak: 1, steps: 40, warmupSteps: 4, decaySteps: 8 }),
      40,
      [],
    ],
    // The warm-up belongs to the first cycle: it has no end of its own.
    [
      "a warm-up before cycles",
      warmup(cosineRestarts({ peak: 1, cycleSteps: 10 }), { steps: 6 }),
      36,
      [16, 26, 36],
    ],
    ["restarts", cosineRestarts({ peak: 1, cycleSteps: 10 }), 30, [10, 20, 30]],
    ["clipped, flat where it is least", clip(clr, { min: 0.5 }), 40, [25, 40]],
    ["of one update", clr, 1, []],
  ] as const)("%s", (_, schedule, updates, ends) => {
    expect(cycleEnds({ schedule, updates })).toEqual(ends);
  });
});

/** By looking at each update. */
function drawnEnds(schedule: Schedule, updates: number): number[] {
  const ends: number[] = [];
  let falling = false;
  for (let t = 0; t + 1 < updates; t++) {
    const [rate, next] = [schedule(t), schedule(t + 1)];
    if (next < rate) falling = true;
    else if (next > rate && falling) {
      ends.push(t + 1);
      falling = false;
    }
  }
  return ends.length > 0 ? [...ends, updates] : [];
}

test.each([
  ["cycles", clr],
  ["restarts", cosineRestarts({ peak: 1, cycleSteps: 7, growth: 1.3 })],
  ["clipped", clip(clr, { min: 0.4, max: 0.8 })],
  ["after a warm-up", warmup(cosineRestarts({ peak: 1, cycleSteps: 10 }), { steps: 6 })],
  ["fading", expRange({ base: 0.1, max: 1, stepSize: 30, gamma: 0.9 })],
  ["stretched", stretch(clr, { steps: 3, to: 4 })],
  ["repeated", repeat(cosineDecay({ peak: 1, steps: 30 }), { steps: 17, times: 4 })],
])("the cycles of %s end where drawing them says", (_, schedule) => {
  for (let updates = 1; updates < 130; updates++)
    expect(cycleEnds({ schedule, updates })).toEqual(drawnEnds(schedule, updates));
});

describe("a run of 10^15 updates", () => {
  const run = { schedule: constant(0.1), updates: 1e15, updatesPerEpoch: 10 };

  test("without cycles, has the average of its last quarter in closed form", () => {
    const weight = averageWeights({ kind: "swa" }, run);
    expect(averageBegins({ kind: "swa" }, run)).toBe(7.5e14 + 20);
    expect([7.5e14 - 1, 7.5e14 + 9, 7.5e14 + 19, 7.5e14 + 20].map(weight)).toEqual([0, 1, 0.5, 0]);
  });

  test("with more cycles than can be kept, is refused by name", () => {
    for (const schedule of [clr, defineSchedule((t) => 1 + (t % 7), { type: "own" })]) {
      const cyclic = { ...run, schedule };
      expect(() => averageWeights({ kind: "swa" }, cyclic)).toThrow(
        "cycles: a run of 1000000000000000 updates",
      );
      expect(() => snapshotEpochs(cyclic)).toThrow("lower --epochs");
    }
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
    expect(averageBegins({ kind: "swa" }, run)).toBe(41);
  });

  test("swa without cycles: the epochs of the last quarter", () => {
    const flat = { schedule: constant(0.1), updates: 80, updatesPerEpoch: 10 };
    const weight = averageWeights({ kind: "swa" }, flat);
    expect([59, 69, 79].map(weight)).toEqual([0, 1, 1 / 2]);
    expect(averageBegins({ kind: "swa" }, flat)).toBe(80);
  });

  test("swa without cycles: the moments of each length of run, the last epoch cut short", () => {
    for (let updates = 1; updates < 60; updates++)
      for (const updatesPerEpoch of [1, 3, 7]) {
        const epochs = Math.ceil(updates / updatesPerEpoch);
        const ends = Array.from({ length: epochs }, (_, i) =>
          Math.min(updates, (i + 1) * updatesPerEpoch),
        );
        const moments = ends.filter((made, i) => made > 0.75 * updates || i >= epochs - 2);
        const flat = { schedule: constant(0.1), updates, updatesPerEpoch };
        if (epochs === 1) {
          expect(() => averageWeights({ kind: "swa" }, flat)).toThrow("train for 2 epochs or more");
          continue;
        }
        const weight = averageWeights({ kind: "swa" }, flat);
        const share = Array.from({ length: updates }, (_, t) => weight(t));
        expect(share).toEqual(
          share.map((_, t) => (moments.includes(t + 1) ? 1 / (moments.indexOf(t + 1) + 1) : 0)),
        );
        expect(averageBegins({ kind: "swa" }, flat)).toBe(moments[1]);
      }
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
    [warmup(cosineDecay({ peak: 1, steps: 50 }), { steps: 10 }), 10, "this one has none"],
    [oneCycle({ max: 1, steps: 60 }), 10, "this one has none"],
    [clr, 13, "one ends after update 21, where an epoch has 13"],
  ])("refuses %#", (schedule, updatesPerEpoch, message) => {
    expect(() => snapshotEpochs({ schedule, updates: 60, updatesPerEpoch })).toThrow(message);
  });
});
