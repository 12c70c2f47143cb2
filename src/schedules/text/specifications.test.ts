import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as schedules from "../index.ts";
import {
  clip,
  constant,
  cosineDecay,
  cosineRestarts,
  cyclical,
  describeSchedule,
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
  scheduleFromJSON,
  scheduleTypes,
  sequence,
  snapCycles,
  stepDecay,
  stretch,
  trapezoidal,
  triangular,
  triangular2,
  warmup,
} from "../index.ts";

const ramp = linearRamp({ from: 0, to: 0.1, steps: 10 });
const bounds = { base: 1e-3, max: 6e-3, stepSize: 50 };

/** A schedule of each family, and how it is described. */
const all: readonly (readonly [Schedule, string])[] = [
  [constant(1e-3), "constant, 1e-3"],
  [triangular({ ...bounds, stepSize: 216 }), "triangular, 1e-3 to 6e-3, step size 216 updates"],
  [triangular({ ...bounds, stepDown: 20 }), "triangular, 1e-3 to 6e-3, 50 updates up, 20 down"],
  [
    triangular2(bounds),
    "triangular2 (amplitude halves each cycle), 1e-3 to 6e-3, step size 50 updates",
  ],
  [
    expRange({ ...bounds, gamma: 0.99, decay: "bounds" }),
    "exp_range, 1e-3 to 6e-3, step size 50 updates, both bounds times 0.99 each update",
  ],
  [
    expRange({ ...bounds, gamma: 0.99 }),
    "exp_range, 1e-3 to 6e-3, step size 50 updates, amplitude times 0.99 each update",
  ],
  [cosineDecay({ peak: 0.1, floor: 1e-4, steps: 99 }), "cosine, 0.1 to 1e-4 over 99 updates"],
  [
    cosineRestarts({ peak: 0.1, cycleSteps: 20, growth: 1.5 }),
    "cosine with restarts, 0.1 to 0, first cycle 20 updates, each 1.5 times as long",
  ],
  [ramp, "linear, 0 to 0.1 over 10 updates"],
  [oneCycle({ max: 0.1, steps: 120 }), "one cycle, up to 0.1, over 120 updates"],
  [
    oneCycle({ max: 0.1, steps: 120, phases: 3, anneal: "linear", dialect: "optax", end: 0 }),
    "one cycle, up to 0.1, over 120 updates, three phases, linear, as in optax",
  ],
  [
    trapezoidal({ peak: 0.1, steps: 100, warmupSteps: 10, decaySteps: 20, decay: "sqrt" }),
    "trapezoidal, 0.1 over 100 updates: warm-up 10, 1-sqrt decay 20",
  ],
  [inverseSqrt({ peak: 0.1, warmupSteps: 30 }), "inverse square root, up to 0.1 at update 30"],
  [
    polynomial({ from: 0.1, steps: 80, power: 2 }),
    "polynomial of power 2, 0.1 to 0 over 80 updates",
  ],
  [exponential({ rate: 0.1, factor: 0.95 }), "exponential, 0.1 times 0.95 each update"],
  [stepDecay({ rate: 0.1, every: 30 }), "step, 0.1 times 0.1 every 30 updates"],
  [multiStep({ rate: 0.1, milestones: [30, 60] }), "multi-step, 0.1 times 0.1 at updates 30, 60"],
  [
    piecewise({
      points: [
        [0, 0.1],
        [40, 0.01],
      ],
      between: "linear",
    }),
    "piecewise linear, 0.1 at 0, 0.01 at 40",
  ],
  [
    warmup(cosineDecay({ peak: 0.1, steps: 90 }), { steps: 10, shape: "cosine" }),
    "cosine warm-up from 0 over 10 updates; then cosine, 0.1 to 0 over 90 updates",
  ],
  [
    sequence([10, ramp], [50, constant(0.1)]),
    "linear, 0 to 0.1 over 10 updates; then constant, 0.1",
  ],
  [
    repeat(ramp, { steps: 10, times: 3 }),
    "linear, 0 to 0.1 over 10 updates; its first 10 updates 3 times",
  ],
  [
    stretch(ramp, { steps: 10, to: 25 }),
    "linear, 0 to 0.1 over 10 updates; 10 updates of it stretched to 25",
  ],
  [
    clip(stepDecay({ rate: 0.1, every: 30 }), { min: 1e-4 }),
    "step, 0.1 times 0.1 every 30 updates; no less than 1e-4",
  ],
  [
    inverseMomentum(triangular(bounds)),
    "from 0.9 down to 0.8 as the rate rises: triangular, 1e-3 to 6e-3, step size 50 updates",
  ],
  [holdAfter(constant(0.1), { steps: 7 }), "constant, 0.1; flat after 7 updates"],
];

const family = fc.constantFrom(...all.map(([schedule]) => schedule));
const update = fc.nat(500);

test("every type is here", () => {
  expect(new Set(all.map(([schedule]) => schedule.toJSON().type))).toEqual(new Set(scheduleTypes));
});

test("every family that has a type is read back, and exported", () => {
  const folder = new URL("../families/", import.meta.url);
  const files = readdirSync(folder).filter((name) => !name.endsWith(".test.ts"));
  const typed = files.flatMap((name) =>
    [...readFileSync(new URL(name, folder), "utf8").matchAll(/\btype: "(\w+)"/g)].map(
      ([, type]) => type!,
    ),
  );
  const known = [...scheduleTypes, "reduceOnPlateau"];
  expect(typed.length).toBeGreaterThan(10);
  expect(typed.filter((type) => !known.includes(type))).toEqual([]);
  expect(typed.filter((type) => !(type in schedules))).toEqual([]);
});

describe("a schedule of any family", () => {
  test("survives JSON: the one read back has the same rate at every update, to the bit", () => {
    for (const [schedule] of all) {
      const text = JSON.stringify(schedule);
      const again = scheduleFromJSON(JSON.parse(text));
      expect(JSON.stringify(again)).toBe(text);
      expect(again.steps).toBe(schedule.steps);
      const updates = Array.from({ length: 300 }, (_, t) => t);
      expect(updates.map(again)).toEqual(updates.map(schedule));
    }
  });

  test("is pure: the order in which updates are asked for does not matter", () => {
    fc.assert(
      fc.property(family, fc.array(update, { minLength: 1, maxLength: 20 }), (schedule, asked) => {
        const backwards = [...asked].reverse().map(schedule).reverse();
        expect(backwards).toEqual(asked.map(schedule));
      }),
    );
  });

  test("has a finite rate, 0 or more, at every update however late, whole or not", () => {
    fc.assert(
      fc.property(family, fc.double({ min: 0, max: 1e9, noNaN: true }), (schedule, t) => {
        const rate = schedule(t);
        expect(Number.isFinite(rate) && rate >= 0).toBe(true);
      }),
    );
  });

  test("is flat past its end, without a word", () => {
    for (const [schedule] of all.filter(([{ steps }]) => Number.isFinite(steps)))
      expect(schedule(schedule.steps + 1e6)).toBe(schedule(schedule.steps));
  });

  test("may be put into any combinator, and survives JSON there", () => {
    const combine = fc.constantFrom<(schedule: Schedule) => Schedule>(
      (s) => warmup(s, { steps: 7 }),
      (s) => repeat(s, { steps: 13 }),
      (s) => stretch(s, { steps: 3, to: 4, after: 5 }),
      (s) => clip(s, { min: 1e-3, max: 0.05 }),
      (s) => sequence([9, s], [30, s]),
      (s) => holdAfter(s, { steps: 20 }),
    );
    fc.assert(
      fc.property(family, combine, combine, update, (schedule, inner, outer, t) => {
        const whole = outer(inner(schedule));
        expect(scheduleFromJSON(JSON.parse(JSON.stringify(whole)))(t)).toBe(whole(t));
      }),
    );
  });

  test("is described in words", () => {
    expect(all.map(([schedule]) => describeSchedule(schedule.toJSON()))).toEqual(
      all.map(([, words]) => words),
    );
  });
});

test("a specification is what JSON.stringify writes of an object that holds a schedule", () => {
  expect(JSON.stringify({ schedule: constant(0.5) })).toBe(
    '{"schedule":{"type":"constant","rate":0.5}}',
  );
});

test("a type that is not known is described by its name", () => {
  expect(describeSchedule({ type: "zigzag" })).toBe("zigzag");
  expect(describeSchedule({ type: "toString" })).toBe("toString");
});

test.each([
  [{ type: "zigzag" }, /type must be one of constant, triangular, .*; got "zigzag"/],
  [{ type: "toString" }, 'got "toString"'],
  [{ type: "constant" }, 'schedule "constant": rate is missing, a number; given: nothing'],
  [
    { type: "triangular", base: 1e-3, max: 6e-3, stp: 216 },
    'schedule "triangular": stepSize is missing, a number; given: base, max, stp',
  ],
  [{ type: "constant", rate: "1" }, 'rate must be a number; got "1"'],
  [{ type: "sequence", parts: 3 }, "parts must be a list; got 3"],
  [{ type: "sequence", parts: [null] }, "type must be one of"],
  [{ type: "triangular", base: 2, max: 1, stepSize: 1 }, "base must not be above max"],
  [{ type: "cosineDecay", peak: 1, steps: 9, flor: 0.1 }, '"cosineDecay" has no "flor"; it has'],
  [{ type: "multiStep", rate: 1, milestones: ["3"] }, "milestones must be a list of numbers"],
  [{ type: "piecewise", points: [[0]] }, "points must be a list of [update, rate] pairs"],
  [{ type: "piecewise", points: [[0, 1]], between: 3 }, "between must be a word; got 3"],
  [{ type: "warmup", steps: 3 }, "type must be one of"],
  [{ type: "oneCycle", max: 1, steps: 9, phases: 4 }, "phases must be 2 or 3; got 4"],
  [{ type: "oneCycle", max: 1, steps: 9, dialect: "jax" }, 'or "optax"; got "jax"'],
  [{ type: "reduceOnPlateau", rate: 1 }, "follows a metric and not the update count"],
])("scheduleFromJSON refuses %j", (spec, message) => {
  expect(() => scheduleFromJSON(spec)).toThrow(message);
});

describe("a function of one's own", () => {
  const own = cyclical({ ...bounds, scale: (cycle) => 1 / cycle });
  test("is refused by JSON, with the reason, wherever it lies", () => {
    const reason = "cyclical: cannot be written as JSON, as scale is a function";
    expect(() => JSON.stringify(own)).toThrow(reason);
    expect(() => JSON.stringify({ schedule: sequence([9, own]) })).toThrow(reason);
    expect(() => snapCycles(own, 130).toJSON()).toThrow(reason);
  });
  test("gives rates in combinators all the same", () => {
    expect(warmup(own, { steps: 10 })(60)).toBeCloseTo(6e-3, 12);
    expect(snapCycles(own, 130)(130)).toBeCloseTo(1e-3, 12);
  });
});

describe("greatestRate", () => {
  test("over the updates of the run, and no others", () => {
    const cycle = oneCycle({ max: 0.3, steps: 100, riseFraction: 0.5 });
    expect(greatestRate(cycle, 100)).toBe(0.3);
    expect(greatestRate(cycle, 10)).toBe(Number(cycle(9).toPrecision(12)));
    expect(greatestRate(exponential({ rate: 1e-3, factor: 2 }), 4)).toBe(8e-3);
  });
  test("needs an update", () =>
    expect(() => greatestRate(constant(1), 0)).toThrow("updates must be a positive integer"));
});
