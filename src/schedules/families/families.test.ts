/** @file Each family at points computed by hand, and its refusals. */

import { describe, expect, test } from "vitest";
import {
  cosineRestarts,
  cyclical,
  exponential,
  expRange,
  inverseSqrt,
  multiStep,
  oneCycle,
  piecewise,
  polynomial,
  type Schedule,
  stepDecay,
  trapezoidal,
  triangular,
  triangular2,
} from "../index.ts";

const bounds = { base: 1, max: 3, stepSize: 2 };

/** [what, schedule, rates at updates 0, 1, 2, ...] */
const points: readonly (readonly [string, Schedule, readonly number[]])[] = [
  [
    "triangular, 2 up, 4 down",
    triangular({ ...bounds, stepDown: 4 }),
    [1, 2, 3, 2.5, 2, 1.5, 1, 2],
  ],
  ["triangular2", triangular2(bounds), [1, 2, 3, 2, 1, 1.5, 2, 1.5, 1, 1.25, 1.5]],
  ["expRange", expRange({ ...bounds, gamma: 0.5 }), [1, 1.5, 1.5, 1.125, 1, 1.03125]],
  [
    "expRange, both bounds",
    expRange({ ...bounds, gamma: 0.5, decay: "bounds" }),
    [1, 1, 0.75, 0.25, 0.0625],
  ],
  [
    "cyclical by cycle",
    cyclical({ ...bounds, scale: (cycle) => 1 / cycle }),
    [1, 2, 3, 2, 1, 1.5, 2, 1.5, 1],
  ],
  [
    "cyclical by update",
    cyclical({ ...bounds, scale: (t) => t, scaleBy: "update" }),
    [1, 2, 5, 4, 1, 6],
  ],
  [
    "cosineRestarts, each twice as long",
    cosineRestarts({ peak: 2, cycleSteps: 2, growth: 2 }),
    [2, 1, 2, 1 + Math.SQRT1_2, 1, 1 - Math.SQRT1_2, 2],
  ],
  [
    "cosineRestarts to a floor",
    cosineRestarts({ peak: 3, floor: 1, cycleSteps: 2 }),
    [3, 2, 3, 2, 3],
  ],
  [
    "trapezoidal",
    trapezoidal({ peak: 4, steps: 8, warmupSteps: 2, decaySteps: 4 }),
    [0, 2, 4, 4, 4, 3, 2, 1, 0, 0],
  ],
  [
    "trapezoidal, 1 - sqrt, no warm-up",
    trapezoidal({ peak: 4, steps: 6, decaySteps: 4, floor: 2, decay: "sqrt" }),
    [4, 4, 4, 3, 4 - Math.SQRT2, 4 - Math.sqrt(3), 2, 2],
  ],
  [
    "trapezoidal without a decay",
    trapezoidal({ peak: 4, steps: 3, warmupSteps: 2, decaySteps: 0, from: 2 }),
    [2, 3, 4, 4, 4],
  ],
  [
    "inverseSqrt",
    inverseSqrt({ peak: 2, warmupSteps: 2 }),
    [0, 1, 2, 2 * Math.sqrt(2 / 3), Math.SQRT2, 2 * Math.sqrt(0.4), 2 * Math.sqrt(1 / 3)],
  ],
  [
    "inverseSqrt, flat before",
    inverseSqrt({ peak: 2, warmupSteps: 4, from: 2 }),
    [2, 2, 2, 2, 2, 2 * Math.sqrt(0.8)],
  ],
  ["polynomial", polynomial({ from: 5, to: 1, steps: 4, power: 2 }), [5, 3.25, 2, 1.25, 1, 1]],
  ["exponential", exponential({ rate: 8, factor: 0.25, every: 2 }), [8, 4, 2, 1, 0.5]],
  ["stepDecay", stepDecay({ rate: 8, factor: 0.5, every: 2 }), [8, 8, 4, 4, 2]],
  ["multiStep", multiStep({ rate: 8, milestones: [1, 4], factor: 0.5 }), [8, 4, 4, 4, 2, 2]],
  [
    "piecewise",
    piecewise({
      points: [
        [0, 1],
        [2, 5],
      ],
    }),
    [1, 1, 5, 5],
  ],
  [
    "piecewise linear",
    piecewise({
      points: [
        [0, 1],
        [2, 5],
        [4, 0],
      ],
      between: "linear",
    }),
    [1, 3, 5, 2.5, 0, 0],
  ],
  [
    "oneCycle, linear, three phases",
    oneCycle({
      max: 5,
      steps: 10,
      startDivisor: 5,
      endDivisor: 10,
      phases: 3,
      anneal: "linear",
    }),
    [1, 3, 5, 3, 1, 0.82, 0.64, 0.46, 0.28, 0.1, 0.1],
  ],
];

test.each(points)("%s, by hand", (_, schedule, wanted) => {
  expect(wanted.map((_, t) => schedule(t) - wanted[t]!)).toEqual(
    wanted.map(() => expect.closeTo(0, 12)),
  );
});

describe("the last rate of oneCycle", () => {
  const options = { max: 0.1, steps: 100 };
  test.each([
    ["torch: max / 25 / 1e4", oneCycle(options), 99, 4e-7],
    ["fastai: max / 1e5", oneCycle({ ...options, dialect: "fastai" }), 100, 1e-6],
    ["optax: max / 25 / 1e4", oneCycle({ ...options, dialect: "optax" }), 100, 4e-7],
    ["any, as a rate", oneCycle({ ...options, end: 1e-3 }), 99, 1e-3],
    ["none at all", oneCycle({ ...options, end: 0 }), 99, 0],
  ])("%s", (_, schedule, at, want) => {
    expect(schedule(at)).toBeCloseTo(want, 15);
    expect(schedule(at - 1)).toBeGreaterThan(schedule(at));
    expect(schedule(1e6)).toBe(schedule(at));
  });
});

describe("cosineRestarts", () => {
  test.each([1, 1.1, 1.5, 2, 3, 10])("is at its peak at each restart, growth %d", (growth) => {
    const schedule = cosineRestarts({ peak: 1, cycleSteps: 10, growth });
    for (let n = 1; n < 12; n++) {
      const end = schedule.cycleEnd!(n);
      expect(schedule(Math.ceil(end))).toBeGreaterThan(0.95);
      expect(schedule(Math.ceil(end) - 1)).toBeLessThan(schedule(Math.ceil(end)));
    }
  });
});

test("triangular loses no digits, a million cycles on", () => {
  const schedule = triangular({ base: 0, max: 1, stepSize: 4 });
  expect(schedule(8_000_004)).toBe(1);
  expect(schedule(8_000_002)).toBe(0.5);
});

test.each<[() => Schedule, string]>([
  [() => triangular({ ...bounds, stepDown: 0 }), "triangular: stepDown must be a positive integer"],
  [() => expRange({ ...bounds, gamma: 0 }), "gamma must be above 0, and at most 1; got 0"],
  [() => expRange({ ...bounds, gamma: 1.1 }), "gamma must be above 0, and at most 1; got 1.1"],
  [
    () => expRange({ ...bounds, gamma: 1, decay: "both" as never }),
    'decay must be "amplitude" or "bounds"; got "both"',
  ],
  [() => cyclical({ ...bounds, scale: 3 as never }), "cyclical: scale must be a function; got 3"],
  [
    () => cosineRestarts({ peak: 1, cycleSteps: 9, growth: 0.5 }),
    "growth must be a number, 1 or more",
  ],
  [() => cosineRestarts({ peak: 1, floor: 2, cycleSteps: 9 }), "floor must not be above peak"],
  [
    () => trapezoidal({ peak: 1, steps: 9, warmupSteps: 5, decaySteps: 5 }),
    "warmupSteps and decaySteps must fit into steps; got 5 + 5 of 9",
  ],
  [() => trapezoidal({ peak: 1, steps: 9, decaySteps: 5, from: 2 }), "from must not be above peak"],
  [() => inverseSqrt({ peak: 1, warmupSteps: 0 }), "warmupSteps must be a positive integer"],
  [() => inverseSqrt({ peak: 1, warmupSteps: 5, from: 2 }), "from must not be above peak"],
  [() => polynomial({ from: 1, steps: 9, power: 0 }), "power must be a positive number; got 0"],
  [() => exponential({ rate: 1, factor: -1 }), "factor must be a positive number; got -1"],
  [() => stepDecay({ rate: 1, every: 0.5 }), "every must be a positive integer; got 0.5"],
  [() => multiStep({ rate: 1, milestones: [] }), "at least one; got []"],
  [() => multiStep({ rate: 1, milestones: [4, 4] }), "ascending positive integers"],
  [() => piecewise({ points: [] }), "points must begin at update 0 and ascend; got updates []"],
  [() => piecewise({ points: [[1, 1]] }), "got updates [1]"],
  [() => piecewise({ points: [[0, -1]] }), "rate of a point must be a number, 0 or more; got -1"],
  [
    () => oneCycle({ max: 1, steps: 99, end: 0.1, endDivisor: 3 }),
    "end and endDivisor exclude each other",
  ],
  [() => oneCycle({ max: 1, steps: 99, fallFraction: 0.6 }), "no effect with two phases"],
  [
    () => oneCycle({ max: 1, steps: 99, phases: 3, fallFraction: 0.2 }),
    "fallFraction must be between riseFraction and 1; got 0.2",
  ],
  [
    () => oneCycle({ max: 1, steps: 99, phases: 3, riseFraction: 0.6 }),
    "three phases do not fit; with riseFraction 0.6 and fallFraction 1.2 of 99",
  ],
])("refusal %#", (make, message) => {
  expect(make).toThrow(message);
});
