import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clip,
  constant,
  cosineDecay,
  cosineRestarts,
  exponential,
  holdAfter,
  linearRamp,
  repeat,
  type Schedule,
  sequence,
  snapCycles,
  stepDecay,
  stretch,
  triangular,
  triangular2,
  warmup,
  warnPastEnd,
} from "../index.ts";

const ratesOf = (schedule: Schedule, count: number) =>
  Array.from({ length: count }, (_, t) => schedule(t));
const fall = linearRamp({ from: 4, to: 0, steps: 4 });

describe("warmup", () => {
  test.each([
    ["linear", 0, [0, 1, 2, 3]],
    ["linear", 2, [2, 2.5, 3, 3.5]],
    ["exponential", 0.25, [0.25, 0.5, 1, 2]],
    ["cosine", 0, [0, 2 - Math.SQRT2, 2, 2 + Math.SQRT2]],
  ] as const)("%s from %d, then the schedule from its beginning", (shape, from, wanted) => {
    const schedule = warmup(fall, { steps: 4, from, shape });
    expect(ratesOf(schedule, 10)).toEqual(
      [...wanted, 4, 3, 2, 1, 0, 0].map((rate) => expect.closeTo(rate, 12)),
    );
    expect(schedule.steps).toBe(8);
  });
  test("refuses an exponential one from 0, and to 0", () => {
    expect(() => warmup(fall, { steps: 4, shape: "exponential" })).toThrow("got from 0, to 4");
    const none = linearRamp({ from: 0, to: 1, steps: 4 });
    expect(() => warmup(none, { steps: 4, from: 1, shape: "exponential" })).toThrow("to 0");
  });
});

describe("repeat", () => {
  test("without an end, and so many times", () => {
    expect(ratesOf(repeat(fall, { steps: 2 }), 5)).toEqual([4, 3, 4, 3, 4]);
    const twice = repeat(fall, { steps: 2, times: 2 });
    expect(ratesOf(twice, 7)).toEqual([4, 3, 4, 3, 2, 2, 2]);
    expect(twice.steps).toBe(4);
  });
});

describe("stretch", () => {
  test("from the start", () => {
    const longer = stretch(fall, { steps: 4, to: 8 });
    expect(ratesOf(longer, 10)).toEqual([4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5, 0, 0]);
    expect(longer.steps).toBe(8);
  });
  test("in the middle of a run: what was before stays", () => {
    const longer = stretch(fall, { after: 2, steps: 2, to: 4 });
    expect(ratesOf(longer, 8)).toEqual([4, 3, 2, 1.5, 1, 0.5, 0, 0]);
    expect(longer.steps).toBe(6);
  });
});

describe("clip", () => {
  test("keeps within bounds", () => {
    expect(ratesOf(clip(fall, { min: 1, max: 3 }), 6)).toEqual([3, 3, 2, 1, 1, 1]);
  });
  test("needs a bound, and the lower one below", () => {
    expect(() => clip(fall, {})).toThrow("clip: needs min, max or both");
    expect(() => clip(fall, { min: 2, max: 1 })).toThrow("min must not be above max");
  });
});

describe("at its end", () => {
  test("a cycle is not begun again: the lowest rate stays", () => {
    const sgdr = cosineRestarts({ peak: 1, floor: 0.1, cycleSteps: 10 });
    for (const ended of [
      holdAfter(sgdr, { steps: 20 }),
      sequence([20, sgdr]),
      repeat(sgdr, { steps: 20, times: 3 }),
    ]) {
      expect(ended(ended.steps - 1)).toBeLessThan(0.13);
      expect(ended(ended.steps)).toBeCloseTo(0.1, 9);
      expect(ended(1e7)).toBeCloseTo(0.1, 9);
    }
  });
  test("there is no further drop", () => {
    expect(holdAfter(stepDecay({ rate: 8, factor: 0.5, every: 5 }), { steps: 10 })(10)).toBe(4);
  });
  test("a rise is finished", () => {
    const rise = linearRamp({ from: 0, to: 0.1, steps: 10 });
    expect(sequence([10, rise])(10)).toBe(0.1);
    expect(sequence([5, rise])(99)).toBe(0.05);
  });
});

describe("warnPastEnd", () => {
  test("warns once, of the first update past the end; rates are the same", () => {
    const warnings: string[] = [];
    const schedule = warnPastEnd(fall, (message) => warnings.push(message));
    expect(ratesOf(schedule, 4)).toEqual([4, 3, 2, 1]);
    expect(warnings).toEqual([]);
    expect([5, 4, 900].map(schedule)).toEqual([0, 0, 0]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("update 5 is past its end; it is made for 4 updates");
    expect(JSON.stringify(schedule)).toBe(JSON.stringify(fall));
  });
  test("leaves alone what has no end", () => {
    const endless = constant(1);
    expect(warnPastEnd(endless)).toBe(endless);
  });
});

describe("snapCycles", () => {
  test("2.5 cycles become 3; the last one ends with the run", () => {
    const snapped = snapCycles(triangular({ base: 1, max: 3, stepSize: 200 }), 1000);
    expect([0, 500, 1000, 5000].map(snapped)).toEqual([1, 3, 1, 1]);
    expect(snapped(1000 / 6)).toBeCloseTo(3, 9);
    expect(snapped.steps).toBe(1000);
  });

  test("no run is too short for one cycle, and a run that fits is left as it was", () => {
    const cycles = triangular({ base: 0, max: 1, stepSize: 200 });
    expect(snapCycles(cycles, 20)(10)).toBe(1);
    expect(ratesOf(snapCycles(cycles, 800), 800)).toEqual(ratesOf(cycles, 800));
  });

  const cyclic = fc.oneof(
    fc.integer({ min: 2, max: 300 }).map((s) => triangular({ base: 0.1, max: 1, stepSize: s })),
    fc
      .tuple(fc.integer({ min: 2, max: 300 }), fc.integer({ min: 2, max: 300 }))
      .map(([up, down]) => triangular2({ base: 0.1, max: 1, stepSize: up, stepDown: down })),
    fc
      .tuple(fc.integer({ min: 2, max: 99 }), fc.double({ min: 1, max: 3, noNaN: true }))
      .map(([s, growth]) => cosineRestarts({ peak: 1, floor: 0.1, cycleSteps: s, growth })),
    fc
      .integer({ min: 2, max: 99 })
      .map((s) => repeat(cosineDecay({ peak: 1, floor: 0.1, steps: s }), { steps: s })),
  );

  test("any cyclical schedule comes down to its base at the end of any run, and stays", () => {
    fc.assert(
      fc.property(cyclic, fc.integer({ min: 10, max: 3000 }), (schedule, steps) => {
        const snapped = snapCycles(schedule, steps);
        expect(snapped(steps)).toBeCloseTo(0.1, 6);
        expect(snapped(steps + 12_345)).toBe(snapped(steps));
      }),
    );
  });

  test("refuses what has no cycles", () => {
    expect(() => snapCycles(exponential({ rate: 1, factor: 0.9 }), 100)).toThrow(
      "snapCycles: needs a schedule with cycles",
    );
  });
});
