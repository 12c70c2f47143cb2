/** @file What is known of a schedule without drawing it: against drawing it. */

import { describe, expect, test } from "vitest";
import { ArgumentError } from "../core/errors.ts";
import {
  clip,
  constant,
  cosineDecay,
  cosineRestarts,
  cyclical,
  defineSchedule,
  exponential,
  expRange,
  greatestRate,
  holdAfter,
  inverseMomentum,
  inverseSqrt,
  linearRamp,
  multiStep,
  oneCycle,
  piecewise,
  polynomial,
  repeat,
  type Schedule,
  scheduleTypes,
  sequence,
  snapCycles,
  stepDecay,
  stretch,
  trapezoidal,
  triangular,
  triangular2,
  warmup,
} from "./index.ts";
import { sampledRates } from "./sampled.ts";
import { evenly, turningUpdates } from "./turns.ts";

const clr = triangular({ base: 1e-3, max: 6e-3, stepSize: 7, stepDown: 4 });
const sgdr = cosineRestarts({ peak: 0.1, cycleSteps: 9, growth: 1.5 });

const schedules: Readonly<Record<string, Schedule>> = {
  constant: constant(0.1),
  triangular: clr,
  triangular2: triangular2({ base: 1e-3, max: 6e-3, stepSize: 13 }),
  expRange: expRange({ base: 1e-3, max: 6e-3, stepSize: 40, gamma: 0.9 }),
  "expRange, bounds": expRange({
    base: 1e-3,
    max: 6e-3,
    stepSize: 40,
    gamma: 0.96,
    decay: "bounds",
  }),
  "expRange, slow": expRange({ base: 1e-3, max: 6e-3, stepSize: 40, gamma: 0.9999 }),
  cyclical: cyclical({ base: 1e-3, max: 6e-3, stepSize: 8, scale: (n) => (n % 3) / 2 }),
  oneCycle: oneCycle({ max: 0.1, steps: 317, phases: 3 }),
  cosineDecay: cosineDecay({ peak: 0.1, steps: 100 }),
  cosineRestarts: sgdr,
  linearRamp: linearRamp({ from: 0, to: 0.1, steps: 100 }),
  trapezoidal: trapezoidal({ peak: 0.1, steps: 300, warmupSteps: 20, decaySteps: 50 }),
  inverseSqrt: inverseSqrt({ peak: 0.1, warmupSteps: 33 }),
  polynomial: polynomial({ from: 0.1, steps: 200, power: 3 }),
  exponential: exponential({ rate: 0.1, factor: 0.99 }),
  stepDecay: stepDecay({ rate: 0.1, every: 30 }),
  multiStep: multiStep({ rate: 0.1, milestones: [30, 60, 61] }),
  piecewise: piecewise({
    points: [
      [0, 0.1],
      [5, 0.3],
      [6, 0.01],
      [90, 0.2],
    ],
    between: "linear",
  }),
  warmup: warmup(sgdr, { steps: 11 }),
  sequence: sequence([31, clr], [40, cosineDecay({ peak: 0.02, steps: 40 })], [200, sgdr]),
  repeat: repeat(cosineDecay({ peak: 0.1, steps: 30 }), { steps: 23, times: 6 }),
  "repeat of cycles": repeat(clr, { steps: 17 }),
  stretch: stretch(clr, { steps: 3, to: 7 }),
  "stretch, later": stretch(clr, { steps: 30, to: 70, after: 40 }),
  "stretch, to less": stretch(clr, { steps: 50, to: 3 }),
  clip: clip(clr, { min: 2e-3, max: 5e-3 }),
  holdAfter: holdAfter(clr, { steps: 27 }),
  inverseMomentum: inverseMomentum(clr),
  "inverseMomentum of oneCycle": inverseMomentum(oneCycle({ max: 0.1, steps: 200 })),
  snapped: snapCycles(clr, 331),
};

describe.each(Object.entries(schedules))("%s", (_, schedule) => {
  const UPDATES = 400;

  test("only rises or only falls from one turning update to the next", () => {
    const { updates, whole } = turningUpdates(schedule, { from: 3, to: UPDATES, most: 2000 });
    expect(whole).toBe(true);
    expect([updates[0], updates.at(-1)]).toEqual([3, UPDATES]);
    for (const [i, to] of updates.entries()) {
      const from = updates[i - 1] ?? to;
      const rates = Array.from({ length: to - from + 1 }, (_, j) => schedule(from + j));
      const rises = rates.at(-1)! > rates[0]!;
      for (let j = 1; j < rates.length; j++) {
        const change = rises ? rates[j]! - rates[j - 1]! : rates[j - 1]! - rates[j]!;
        expect(change).toBeGreaterThanOrEqual(-1e-15);
      }
    }
  });

  test("has the greatest rate that drawing it has, of any number of updates", () => {
    for (const updates of [1, 2, 3, 12, 39, 77, 200, UPDATES]) {
      const drawn = Array.from({ length: updates }, (_, t) => schedule(t));
      expect(greatestRate(schedule, updates)).toBe(Number(Math.max(...drawn).toPrecision(12)));
    }
  });

  test("says its greatest rate of 2^53 - 1 updates in bounded work", () => {
    let evaluated = 0;
    const counted = Object.assign((t: number) => {
      evaluated++;
      return schedule(t);
    }, schedule) as Schedule;
    const near = Array.from({ length: 2000 }, (_, t) => schedule(t));
    const greatest = greatestRate(counted, Number.MAX_SAFE_INTEGER);
    expect(greatest).toBeGreaterThanOrEqual(Math.max(...near) * (1 - 1e-3));
    expect(evaluated).toBeLessThan(2e5);
  });

  test("has a turn after any update, or none", () => {
    for (const t of [0, 1e6 + 1, 2 ** 52 + 1, 2 ** 53, 1e300, Number.POSITIVE_INFINITY]) {
      const turn = schedule.nextTurn!(t);
      expect(turn > t || turn === Number.POSITIVE_INFINITY).toBe(true);
    }
  });
});

test("a few turns of many are the greatest and the least all the same", () => {
  for (const schedule of [clr, schedules.triangular2!, schedules["expRange, slow"]!]) {
    const looked = turningUpdates(schedule, { from: 0, to: 1e15, most: 100 });
    expect(looked.whole).toBe(false);
    expect(looked.updates.length).toBeLessThan(200);
    const rates = looked.updates.map(schedule);
    const near = Array.from({ length: 100 }, (_, t) => schedule(t));
    expect(Math.max(...rates)).toBe(Math.max(...near));
    expect(Math.min(...rates)).toBe(1e-3);
  }
});

test("a schedule of one's own that does not say where it turns is evaluated at a million updates at most", () => {
  const asked: number[] = [];
  const own = defineSchedule(
    (t) => {
      asked.push(t);
      return t === 5 ? 2 : 1;
    },
    { type: "own" },
  );
  expect(greatestRate(own, 100)).toBe(2);
  expect(asked).toHaveLength(100);
  asked.length = 0;
  expect(greatestRate(own, Number.MAX_SAFE_INTEGER)).toBe(1);
  expect(asked.length).toBe(1_000_000);
  expect(asked.at(-1)).toBe(Number.MAX_SAFE_INTEGER - 1);
});

test.each([1e15, 2 ** 53 - 1])("cycles are snapped to %d updates in bounded work", (updates) => {
  for (const schedule of [clr, sgdr, cosineRestarts({ peak: 0.1, cycleSteps: 2, growth: 1e308 })]) {
    let asked = 0;
    const counted = Object.assign((t: number) => schedule(t), schedule, {
      cycleEnd: (n: number) => {
        asked++;
        return schedule.cycleEnd!(n);
      },
    }) as Schedule;
    const snapped = snapCycles(counted, updates);
    expect(asked).toBeLessThan(300);
    expect(snapped(updates)).toBeLessThanOrEqual(0.1);
  }
});

test("as many cycles are snapped as by trying one after another", () => {
  for (const schedule of [clr, sgdr, triangular({ base: 0, max: 1, stepSize: 3 })])
    for (let steps = 1; steps < 300; steps++) {
      const off = (n: number) => Math.abs(Math.log(schedule.cycleEnd!(n) / steps));
      let count = 1;
      while (off(count + 1) <= off(count)) count += 1;
      const own = schedule.cycleEnd!(count);
      const fitted = own === steps ? schedule : stretch(schedule, { steps: own, to: steps });
      const expected = holdAfter(fitted, { steps });
      expect(JSON.stringify(snapCycles(schedule, steps))).toBe(JSON.stringify(expected));
    }
});

test("updates that are few are evaluated one by one, and no two twice", () => {
  for (let last = 0; last < 3000; last += 7) {
    const each = Array.from({ length: last + 1 }, (_, t) => t);
    expect(evenly(0, last, last + 1)).toEqual(each);
    expect(sampledRates(clr, last).map(({ update }) => update)).toEqual(each);
  }
  for (const count of [2, 999, 19_997, 20_000]) {
    const some = evenly(3, 20_000, count);
    expect([some[0], some.at(-1), new Set(some).size]).toEqual([
      3,
      20_000,
      Math.min(count, 19_998),
    ]);
  }
});

test("counts that are not exact are refused", () => {
  for (const steps of [1e16, 1e300])
    expect(() => greatestRate(clr, steps)).toThrow("updates must be at most 9007199254740991");
  expect(() => triangular({ base: 0, max: 1, stepSize: 1e300 })).toThrow(ArgumentError);
});

test.each([1e308, Number.MAX_VALUE, 5e-324, 1e-310])("rates about %d are numbers", (rate) => {
  const all = [
    cosineDecay({ peak: rate, steps: 100 }),
    cosineRestarts({ peak: rate, cycleSteps: 30, growth: 2 }),
    oneCycle({ max: rate, steps: 100 }),
    triangular({ base: 0, max: rate, stepSize: 7 }),
    warmup(constant(rate), { steps: 50, from: 5e-324, shape: "exponential" }),
    warmup(constant(rate), { steps: 50, shape: "cosine" }),
    polynomial({ from: rate, steps: 100, power: 2 }),
    trapezoidal({ peak: rate, steps: 100, decaySteps: 20, decay: "sqrt" }),
  ];
  for (const schedule of all)
    for (let t = 0; t <= 130; t++) {
      expect(schedule(t)).toBeGreaterThanOrEqual(0);
      expect(schedule(t)).toBeLessThanOrEqual(Number.MAX_VALUE);
    }
});

test("every type is among them", () => {
  const written = Object.entries(schedules).filter(([name]) => !name.startsWith("cyclical"));
  const types = written.map(([, schedule]) => schedule.toJSON().type);
  expect(new Set(types)).toEqual(new Set(scheduleTypes));
});
