/** @file What holds of every suggestion, whatever the curves. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RangeTestRun, suggest } from "../index.ts";
import { rampOf, runOf as run } from "./test-curves.ts";

describe("whatever the curves", () => {
  const anyRun = (length: number) =>
    fc
      .array(
        fc.oneof(
          { weight: 20, arbitrary: fc.double({ min: 0.01, max: 5, noNaN: true }) },
          { weight: 1, arbitrary: fc.constant(null) },
        ),
        {
          minLength: 1,
          maxLength: length,
        },
      )
      .map((of) => of);
  const anyTest = fc.record({
    all: fc.array(anyRun(40), { minLength: 1, maxLength: 5 }),
    trend: fc.double({ min: -0.1, max: 0.02, noNaN: true }),
    reading: fc.constantFrom("averaged" as const, "published" as const),
    rule: fc.constantFrom("minimum/10" as const, "valley" as const, "steepest" as const),
    from: fc.constantFrom(1e-7, 1e-4, 1e-2),
  });
  const runsOf = (all: readonly (readonly (number | null)[])[], from: number, trend: number) => {
    const rates = rampOf(from, 10, 40);
    return all.map((of, seed) =>
      run(
        seed,
        of.map((loss, i) => (loss === null ? null : loss * Math.exp(trend * i))),
        rates,
      ),
    );
  };

  test("a suggestion, what is beside it and its intervals lie inside the ramp, or there is none", () =>
    fc.assert(
      fc.property(anyTest, ({ all, trend, from, ...options }) => {
        const { suggestion, unguarded } = suggest(runsOf(all, from, trend), {
          ...options,
          from,
          to: 10,
        });
        for (const said of [suggestion, unguarded])
          for (const { rate, low, high, interval } of said ? [said.constant, said.peak] : []) {
            for (const one of [rate, low, high, interval?.low, interval?.high])
              if (one !== undefined) {
                expect(one).toBeGreaterThanOrEqual(from);
                expect(one).toBeLessThanOrEqual(10);
              }
            expect(low).toBeLessThanOrEqual(rate);
            expect(high).toBeGreaterThanOrEqual(rate);
            if (interval) expect(all.length).toBeGreaterThanOrEqual(3);
          }
        if (suggestion) {
          expect(suggestion.constant.rate).toBeLessThanOrEqual(suggestion.peak.rate);
          expect(suggestion.peak.baseLr).toBeLessThanOrEqual(suggestion.peak.rate);
        }
      }),
      { numRuns: 500 },
    ));

  test("the order of the seeds changes nothing", () =>
    fc.assert(
      fc.property(anyTest, fc.nat(), ({ all, trend, from, ...options }, by) => {
        const runs = runsOf(all, from, trend);
        const turned = runs.map((_, i) => runs[(i + by) % runs.length]!);
        const of = (list: readonly RangeTestRun[]) => suggest(list, { ...options, from, to: 10 });
        expect(of(turned).suggestion).toEqual(of(runs).suggestion);
        expect(of(turned).verdict).toEqual(of(runs).verdict);
      }),
    ));

  test("a loss in other units makes the same rates", () =>
    fc.assert(
      fc.property(
        anyTest,
        fc.integer({ min: -8, max: 8 }),
        ({ all, trend, from, ...options }, by) => {
          const runs = runsOf(all, from, trend);
          // Powers of two: products are exact.
          const scaled = runsOf(
            all.map((of) => of.map((loss) => (loss === null ? null : loss * 2 ** by))),
            from,
            trend,
          );
          const of = (list: readonly RangeTestRun[]) => suggest(list, { ...options, from, to: 10 });
          expect(of(scaled).suggestion).toEqual(of(runs).suggestion);
          expect(of(scaled).verdict).toEqual(of(runs).verdict);
        },
      ),
    ));
});
