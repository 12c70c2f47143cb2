/**
 * @file Every schedule against torch.optim.lr_scheduler (1.13), and against the formulas of optax,
 * fastai and the CLR paper in float64: update by update, from the values that schedules.py stored.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  cyclical,
  type PlateauState,
  type ReduceOnPlateauOptions,
  reduceOnPlateau,
  type Schedule,
  type ScheduleSpec,
  scheduleFromJSON,
  type TriangularOptions,
} from "../../src/schedules/index.ts";

interface Case {
  readonly source: string;
  readonly spec: ScheduleSpec;
  readonly scaleBy?: "cycle" | "update";
  readonly rates: readonly number[];
}

const { metrics, cases } = JSON.parse(
  readFileSync(new URL("fixtures/schedules.json", import.meta.url), "utf8"),
) as { metrics: readonly (number | null)[]; cases: readonly Case[] };

/** Recursions of torch's gather rounding errors over the updates; a closed form does not. */
const RELATIVE = 1e-11;

function expectRates(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  const greatest = Math.max(...wanted);
  // Against the greatest rate too, where a cosine comes to nothing by subtraction.
  const off = wanted.flatMap((want, t) =>
    Math.abs(found[t]! - want) <= RELATIVE * Math.max(Math.abs(want), 1e-4 * greatest)
      ? []
      : [`update ${t}: ${found[t]}, wanted ${want}`],
  );
  expect(off).toEqual([]);
}

const titled = cases.map((one) => ({
  ...one,
  title: `${one.source}: ${JSON.stringify(one.spec)}`,
}));
const pure = titled.filter(({ spec }) => spec.type !== "reduceOnPlateau");
const plateaus = titled.filter(({ spec }) => spec.type === "reduceOnPlateau");

function scheduleOf({ spec, scaleBy }: Case): Schedule {
  if (scaleBy === undefined) return scheduleFromJSON(spec);
  const { type: _, ...options } = spec;
  return cyclical({
    ...(options as unknown as TriangularOptions),
    scale: (x) => 1 / (1 + 0.5 * x),
    scaleBy,
  });
}

describe("schedules", () => {
  test.each(pure)("$title", (one) => {
    const schedule = scheduleOf(one);
    expectRates(
      one.rates.map((_, t) => schedule(t)),
      one.rates,
    );
  });

  test.each(pure.filter(({ scaleBy }) => !scaleBy))("resumed at any update: $title", (one) => {
    const { spec, rates } = one;
    const whole = scheduleFromJSON(spec);
    const straight = rates.map((_, t) => whole(t));
    const resumed = rates.map((_, from) => {
      const again = scheduleFromJSON(JSON.parse(JSON.stringify(whole)));
      return rates.slice(from).map((_, t) => again(from + t));
    });
    expect(resumed).toEqual(rates.map((_, from) => straight.slice(from)));
  });

  test("every pure family that a library has is compared with it", () => {
    const compared = new Set(JSON.stringify(cases).match(/(?<="type":")\w+/g));
    for (const type of ["triangular", "triangular2", "expRange", "cyclical", "oneCycle"])
      expect(compared).toContain(type);
    for (const type of ["cosineDecay", "cosineRestarts", "linearRamp", "polynomial", "exponential"])
      expect(compared).toContain(type);
    for (const type of ["stepDecay", "multiStep", "piecewise", "warmup", "sequence", "clip"])
      expect(compared).toContain(type);
  });
});

describe("reduceOnPlateau", () => {
  const values = metrics.map((metric) => metric ?? Number.NaN);
  const optionsOf = (spec: ScheduleSpec) => spec as unknown as ReduceOnPlateauOptions;

  test.each(plateaus)("$title", ({ spec, rates }) => {
    const plateau = reduceOnPlateau(optionsOf(spec));
    let state = plateau.initial;
    const found = values.map((metric) => {
      const [next, rate] = plateau.step(state, metric);
      state = next;
      return rate;
    });
    expectRates(found, rates);
    expect(new Set(rates).size).toBeGreaterThan(1);
  });

  test.each(plateaus)("resumed at any metric: $title", ({ spec, rates }) => {
    const plateau = reduceOnPlateau(optionsOf(spec));
    let state = plateau.initial;
    values.forEach((metric, at) => {
      let resumed: PlateauState = JSON.parse(JSON.stringify(state));
      const again = reduceOnPlateau(JSON.parse(JSON.stringify(plateau)));
      const rest = values.slice(at).map((value) => {
        const [next, rate] = again.step(resumed, value);
        resumed = next;
        return rate;
      });
      expectRates(rest, rates.slice(at));
      [state] = plateau.step(state, metric);
    });
  });
});
