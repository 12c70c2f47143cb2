/** @file The statistics against stored values of scipy: test/parity/statistics.py makes them. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { OptimizerSummary } from "../../record/index.ts";
import { bcaInterval, bootstrapMean, quantile } from "./bootstrap.ts";
import { incompleteBeta, logGamma } from "./incomplete-beta.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { pairedDifference } from "./paired.ts";
import { pairedPower, seedsNeeded } from "./power.ts";
import { holm } from "./sign-flip.ts";
import { spreadOf } from "./spread.ts";
import { tInterval, twoSidedP, twoSidedT } from "./student-t.ts";

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
  power: { effect: number; n: number; power: number }[];
  seedsNeeded: { effect: number; n: number }[];
  bootstrap: {
    values: number[];
    scipy: { low: number; high: number };
    means: number[];
    low: number;
    high: number;
  }[];
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
    expect(tInterval([0.5])).toBeNull();
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
      expect(pair.interval!.low).toBeCloseTo(want.low, 9);
      expect(pair.interval!.high).toBeCloseTo(want.high, 9);
      expectClose(pair.p!, want.signFlipP, 1e-12);
      // The t test's p is not recorded; its interval excludes 0 exactly where p < 0.05.
      const excludes = pair.interval!.low > 0 || pair.interval!.high < 0;
      expect(excludes).toBe(want.tP < 0.05);
    }
  });

  test("Holm", () => {
    const { ps, adjusted } = stored.holm;
    holm(ps).forEach((p, i) => {
      expect(p).toBeCloseTo(adjusted[i]!, 12);
    });
  });

  test("power of the paired t test by the noncentral t", () => {
    for (const { effect, n, power } of stored.power)
      expect(pairedPower(effect, n), `effect ${effect}, n ${n}`).toBeCloseTo(power, 7);
  });

  test("seeds for power 0.8", () => {
    for (const { effect, n } of stored.seedsNeeded) {
      expect(seedsNeeded(effect)).toBe(n);
      expect(seedsNeeded(-effect)).toBe(n);
    }
    expect(seedsNeeded(0)).toBeNull();
    expect(seedsNeeded(0.001)).toBeNull();
  });

  test("BCa over given resamples, by Efron's formula", () => {
    for (const { values, means, low, high } of stored.bootstrap) {
      const interval = bcaInterval(values, means);
      expect(interval.method).toBe("bca");
      expect(interval.low).toBeCloseTo(low, 12);
      expect(interval.high).toBeCloseTo(high, 12);
    }
  });

  test("our own resamples: within a thirtieth of the interval's width of scipy's", () => {
    for (const { values, scipy } of stored.bootstrap) {
      const interval = bootstrapMean(values)!;
      const width = scipy.high - scipy.low;
      expect(Math.abs(interval.low - scipy.low)).toBeLessThan(width / 30);
      expect(Math.abs(interval.high - scipy.high)).toBeLessThan(width / 30);
    }
  });

  test("quantiles as numpy's default", () => {
    expect([0, 0.25, 0.5, 1].map((p) => quantile([1, 2, 4, 8, 16], p))).toEqual([1, 2, 4, 16]);
    expect(quantile([1, 2], 0.3)).toBeCloseTo(1.3, 12);
  });
});
