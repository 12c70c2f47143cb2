/** @file The statistics against stored values of scipy: test/parity/statistics.py makes them. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { OptimizerSummary } from "../../record/index.ts";
import { incompleteBeta, logGamma } from "./incomplete-beta.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { overImages } from "./over-images.ts";
import { pairedDifference } from "./paired.ts";
import { pairedPower } from "./power.ts";
import { holm } from "./sign-flip.ts";
import { spreadOf } from "./spread.ts";
import { tInterval, tTestP, twoSidedP, twoSidedT } from "./student-t.ts";

interface Stored {
  normal: { x: number; cdf: number }[];
  normalQuantile: { p: number; x: number }[];
  incompleteBeta: { x: number; a: number; b: number; value: number }[];
  logGamma: { x: number; value: number }[];
  studentT: { df: number; t95: number; t99: number; p: { t: number; value: number }[] }[];
  intervals: { values: number[]; low: number; high: number }[];
  pairs: {
    a: number[];
    b: number[];
    mean: number;
    sd: number;
    low: number;
    high: number;
    tP: number;
    signFlipP: number;
  }[];
  power: { effect: number; n: number; alpha: number; power: number }[];
  crossed: { first: number[][]; second: number[][]; low: number; high: number; p: number }[];
  holm: { ps: number[]; adjusted: number[] };
}
const stored = JSON.parse(
  readFileSync(new URL("../../../test/parity/fixtures/statistics.json", import.meta.url), "utf8"),
) as Stored;

/** Relative where the value is away from 0. */
const expectClose = (value: number, want: number, tolerance = 1e-11) =>
  expect(Math.abs(value - want)).toBeLessThanOrEqual(tolerance * Math.max(Math.abs(want), 1e-290));

describe("distributions", () => {
  test("normal, tails included", () => {
    for (const { x, cdf } of stored.normal) expectClose(normalCdf(x), cdf, 1e-12);
    for (const { p, x } of stored.normalQuantile) expect(normalQuantile(p)).toBeCloseTo(x, 10);
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(1.5)]).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]);
  });

  test("logarithm of gamma, incomplete beta", () => {
    for (const { x, value } of stored.logGamma) expect(logGamma(x)).toBeCloseTo(value, 11);
    for (const { x, a, b, value } of stored.incompleteBeta)
      expectClose(incompleteBeta(x, a, b), value, 1e-9);
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
  });

  test("Student's t: quantiles and two-sided probabilities", () => {
    for (const { df, t95, t99, p } of stored.studentT) {
      // scipy 1.10 is itself about 2e-9 off here: tables have 5.8409093097 where it has 5.8409092998.
      expectClose(twoSidedT(0.95, df), t95, 1e-8);
      expectClose(twoSidedT(0.99, df), t99, 1e-8);
      for (const { t, value } of p) expectClose(twoSidedP(t, df), value, 1e-9);
    }
    expect(twoSidedT(0.99, 3)).toBeCloseTo(5.8409093097, 10);
  });
});

describe("over seeds", () => {
  test("t interval of a mean", () => {
    for (const { values, low, high } of stored.intervals) {
      const interval = tInterval(values)!;
      expectClose(interval.low, low, 1e-9);
      expectClose(interval.high, high, 1e-9);
    }
    // An interval of two values has no width where they are equal, and reaches past 0 and 1 where not.
    expect([tInterval([0.5]), tInterval([0.5, 0.6]), tTestP([0.5, 0.6])]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test("paired difference: mean, deviation, t interval, sign-flip p", () => {
    const arm = (values: readonly number[]) =>
      ({
        name: "arm",
        seeds: values.map((_, seed) => seed),
        finalValidationAccuracy: spreadOf(values),
      }) as unknown as OptimizerSummary;
    for (const want of stored.pairs) {
      const pair = pairedDifference(arm(want.a), arm(want.b));
      expectClose(pair.mean!, want.mean, 1e-10);
      expectClose(pair.sd!, want.sd, 1e-10);
      expectClose(pair.p!, want.signFlipP, 1e-12);
      if (want.a.length < 3) {
        expect([pair.interval, pair.tP, pair.verdict]).toEqual([null, null, "open"]);
        continue;
      }
      expect(pair.interval!.low).toBeCloseTo(want.low, 9);
      expect(pair.interval!.high).toBeCloseTo(want.high, 9);
      expectClose(pair.tP!, want.tP, 1e-8);
    }
  });

  test("Holm", () => {
    const { ps, adjusted } = stored.holm;
    holm(ps).forEach((p, i) => {
      expect(p).toBeCloseTo(adjusted[i]!, 12);
    });
  });

  test("power of the paired t test by the noncentral t", () => {
    for (const { effect, n, alpha, power } of stored.power)
      expect(pairedPower(effect, n, alpha), `effect ${effect}, n ${n}`).toBeCloseTo(power, 7);
  });

  test("seeds and images together", () => {
    for (const { first, second, low, high, p } of stored.crossed) {
      const rows = [first, second].map((arm) => arm.map((row) => Uint8Array.from(row)));
      const found = overImages(rows[0]!, rows[1]!)!;
      expect(found.images).toBe(first[0]!.length);
      expect(found.interval.low).toBeCloseTo(low, 8);
      expect(found.interval.high).toBeCloseTo(high, 8);
      expectClose(found.p, p, 1e-7);
    }
    const two = [Uint8Array.of(1, 0, 1), Uint8Array.of(1, 1, 1)];
    expect(overImages(two, two)).toBeNull();
  });
});
