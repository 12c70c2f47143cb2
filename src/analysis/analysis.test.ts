import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../core/random.ts";
import {
  aboutEachRate,
  accuracyElbow,
  argmin,
  bands,
  type Curve,
  elbow,
  fall,
  median,
  medianRate,
  minimumOverTen,
  type RangeTestRun,
  rangeTestBand,
  slide,
  smooth,
  spreadOf,
  standardDeviation,
  steepest,
  valley,
} from "./index.ts";
import { rampOf, runOf } from "./range-test/test-curves.ts";

/** A curve that falls, flattens and explodes; rates from 1e-5 to 10 over 60 updates. */
const exampleLrs = Array.from({ length: 60 }, (_, i) => 1e-5 * 1e6 ** (i / 59));
const exampleLosses = exampleLrs.map(
  (_, i) =>
    1.2 +
    0.5 / (1 + Math.exp((i - 30) / 4)) +
    0.03 * Math.sin(i * 1.7) +
    (i > 48 ? (0.12 * (i - 48)) ** 3 : 0),
);
const example: Curve = { lrs: exampleLrs, losses: smooth(exampleLosses) as number[] };

const run = (seed: number, losses: readonly (number | null)[], lrs = exampleLrs): RangeTestRun =>
  runOf(seed, losses, lrs);

describe("smoothing about each rate", () => {
  /** The same sums over all points, by the definition. */
  const byDefinition = (lrs: readonly number[], losses: readonly number[], at: number) => {
    const weights = lrs.map((lr, i) => {
      const powers = Math.abs(Math.log10(lr / lrs[at]!)) / 0.4;
      return Math.exp(-(Math.max(powers, Math.abs(i - at) / (0.1 * lrs.length)) ** 2) / 2);
    });
    const whole = weights.reduce((a, b) => a + b, 0);
    return {
      mean: weights.reduce((sum, weight, i) => sum + weight * losses[i]!, 0) / whole,
      variance: weights.reduce((sum, weight) => sum + weight * weight, 0) / whole ** 2,
    };
  };

  test.each([
    ["exponential", 200, (x: number) => 1e-7 * 10 ** (8 * x), 12, 1e-9],
    ["over half a power of ten", 100, (x: number) => 1e-3 * 10 ** (x / 2), 12, 1e-9],
    ["linear", 300, (x: number) => 1e-4 + 0.1 * x, 12, 1e-9],
    // Of more than 1,024 points neighbours are taken together.
    ["long", 5000, (x: number) => 1e-7 * 10 ** (8 * x), 2, 0.02],
  ] as const)("a ramp that is %s", (_, points, rateAt, digits, part) => {
    const lrs = Array.from({ length: points }, (_, i) => rateAt(i / (points - 1)));
    const losses = lrs.map((_, i) => 2 + Math.sin((9 * i) / points) + 0.3 * Math.cos(1.3 * i));
    const { means, variances } = aboutEachRate(lrs, losses);
    expect(means).toHaveLength(points);
    for (const at of [0, 1, Math.floor(points / 3), points - 1]) {
      const { mean, variance } = byDefinition(lrs, losses, at);
      expect(means[at]).toBeCloseTo(mean, digits);
      expect(Math.abs(variances[at]! / variance - 1)).toBeLessThan(part);
    }
  });

  test("the variance is that of the mean of noise", () => {
    const lrs = rampOf(1e-5, 1, 60);
    const stream = randomStream(3, "synthetic", 1);
    const runs = Array.from({ length: 4000 }, () =>
      aboutEachRate(
        lrs,
        lrs.map(() => (stream.uniform() - 0.5) * Math.sqrt(12)),
      ),
    );
    for (const at of [0, 30, 59]) {
      const values = runs.map(({ means }) => means[at]!);
      const measured = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      expect(Math.abs(measured / runs[0]!.variances[at]! - 1)).toBeLessThan(0.1);
    }
  });
});

describe("smoothing", () => {
  test("starts at the first loss and takes a twentieth of each new one", () => {
    const [first, second, third] = smooth([2, 1, 3]) as number[];
    expect(first).toBe(2);
    expect(second).toBeCloseTo(0.05 * 1 + 0.95 * 2, 12);
    expect(third).toBeCloseTo(0.05 * 3 + 0.95 * 1.95, 12);
  });
  test("equals the weighted sum over all losses so far", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1 }),
        (x) => {
          const n = x.length - 1;
          const sum = x.reduce(
            (s, loss, i) => s + (i === 0 ? 1 : 0.05) * 0.95 ** (n - i) * loss,
            0,
          );
          expect(smooth(x).at(-1)).toBeCloseTo(sum, 9);
        },
      ),
    );
  });
  test("bias-corrected: the weighted mean of all losses so far, as fastai 2.x", () => {
    expect(smooth([2, 1], { kind: "bias-corrected" })).toEqual([
      expect.closeTo(2, 12),
      expect.closeTo((0.02 * (2 * 0.98 + 1)) / (1 - 0.98 ** 2), 12),
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (x, weight) => {
          const weights = x.map((_, i) => weight * (1 - weight) ** (x.length - 1 - i));
          const total = weights.reduce((sum, w) => sum + w, 0);
          const mean = x.reduce((sum, loss, i) => sum + loss * weights[i]!, 0) / total;
          expect(smooth(x, { kind: "bias-corrected", weight }).at(-1)).toBeCloseTo(mean, 8);
        },
      ),
    );
  });
  test("none leaves each loss as it is; a wrong kind and weight are refused", () => {
    expect(smooth([3, 1, 2], { kind: "none" })).toEqual([3, 1, 2]);
    expect(() => smooth([1], { kind: "median" as "none" })).toThrow(
      'smoothing: must be one of proportional, published, bias-corrected, none; got "median"',
    );
    for (const weight of [0, 1.1, Number.NaN])
      expect(() => smooth([1], { weight })).toThrow(`at most 1; got ${weight}`);
  });
  test("ends at the first value that is not finite", () => {
    expect(smooth([1, null, 1])).toEqual([1, null, null]);
    expect(smooth([Number.NaN, 1])).toEqual([null, null]);
  });
});

describe("rules", () => {
  // The same curve through numpy and the rules as fastai 2.x has them, first tenth and last five
  // points set aside for all but the minimum.
  test.each([
    ["minimum/10", minimumOverTen, 0.1941491945743881],
    ["steepest", steepest, 0.03625117049988532],
    ["valley", valley, 0.014208308325339232],
    ["slide", slide, 0.03625117049988532],
  ])("%s", (_, rule, want) => {
    expect(rule(example)! / want).toBeCloseTo(1, 10);
  });

  test("fall: the last rate before the least with more than a fifth of the fall left", () => {
    const lrs = Array.from({ length: 20 }, (_, i) => i + 1);
    // Begins at 3, least 1 at rate 13: a fifth of the fall is left at 1.4.
    const losses = [3, 3, 3, 3, 2.8, 2.6, 1.3, 2.2, 1.7, 1.41, 1.39, 1.1, 1, 1.2, 2, 4, 4, 4, 4, 4];
    expect(fall({ lrs, losses })).toBe(10);
    expect(fall({ lrs, losses, begin: 8 })).toBe(6); // above 2.4
    expect(fall({ lrs, losses: losses.map(() => 2) })).toBeNull();
    expect(fall({ lrs, losses: lrs })).toBeNull();
    expect(fall({ lrs: [], losses: [] })).toBeNull();
  });

  test("valley agrees with the quadratic search for the longest decreasing subsequence", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 12, maxLength: 80 }),
        (losses) => {
          const lrs = losses.map((__, i) => i + 1);
          const first = Math.floor(losses.length / 10);
          const kept = losses.slice(first, -5);
          const lengths = kept.map(() => 1);
          for (let i = 0; i < kept.length; i++)
            for (let j = 0; j < i; j++)
              if (kept[i]! < kept[j]!) lengths[i] = Math.max(lengths[i]!, lengths[j]! + 1);
          const longest = Math.max(...lengths);
          const end = lengths.indexOf(longest);
          const start = end - longest;
          const at = start + Math.floor((end - start) / 3) + Math.floor((end - start) / 6);
          expect(valley({ lrs, losses })).toBe(
            longest < 2 ? null : at < 0 ? null : lrs[first + at],
          );
        },
      ),
    );
  });

  test("a curve that never falls has no steepest descent and no valley", () => {
    const rising = { lrs: exampleLrs, losses: exampleLrs.map((_, i) => i) };
    expect(steepest(rising)).toBeNull();
    expect(valley(rising)).toBeNull();
    expect(minimumOverTen(rising)).toBe(exampleLrs[0]! / 10);
  });

  test("curves too short to trim give nothing but the minimum", () => {
    const short = { lrs: [1, 2, 3], losses: [3, 2, 1] };
    expect([steepest(short), valley(short), slide(short)]).toEqual([null, null, null]);
    expect(minimumOverTen(short)).toBeCloseTo(0.3, 12);
    expect(minimumOverTen({ lrs: [], losses: [] })).toBeNull();
  });

  test("the first of equal minima counts", () => {
    expect(argmin([3, 1, 1, 2])).toBe(1);
  });
});

describe("accuracy elbow", () => {
  // Chance up to rate 2, a straight rise to 0.75 at 5, a slower one to 0.9 at 8, then a fall.
  const lrs = Array.from({ length: 201 }, (_, i) => i / 20);
  const accuracy = (lr: number) => {
    if (lr <= 2) return 0.25;
    if (lr <= 5) return 0.25 + (lr - 2) / 6;
    return lr <= 8 ? 0.75 + (lr - 5) / 20 : 0.9 - (lr - 8) / 4;
  };
  const accuracies = lrs.map(accuracy);

  test("finds where accuracy begins to rise, and where it slows", () => {
    const bounds = accuracyElbow(lrs, accuracies)!;
    // A tenth of the rise of 0.65 is made at rate 2.39.
    expect(bounds.baseLr).toBeGreaterThan(2);
    expect(bounds.baseLr).toBeLessThan(2.4);
    expect(bounds.maxLr).toBeCloseTo(5, 1);
    expect(elbow({ lrs, losses: lrs, accuracies })).toBe(bounds.maxLr);
  });
  test("where it does not slow before its peak, the peak", () => {
    const straight = lrs.map((lr) => (lr <= 6 ? 0.25 + lr ** 2 / 60 : 0.85 - (lr - 6) / 4));
    expect(accuracyElbow(lrs, straight)!.maxLr).toBeCloseTo(6, 0);
  });
  test("stays where it is whatever the accuracy's offset and the rates' unit", () => {
    const { baseLr, maxLr } = accuracyElbow(lrs, accuracies)!;
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        (unit, offset) => {
          const moved = accuracyElbow(
            lrs.map((lr) => lr * unit),
            accuracies.map((value) => value + offset),
          )!;
          expect(moved.baseLr / unit).toBeCloseTo(baseLr, 9);
          expect(moved.maxLr / unit).toBeCloseTo(maxLr, 9);
        },
      ),
    );
  });
  test("says nothing without accuracies, of few points, or where they do not rise", () => {
    expect(elbow({ lrs, losses: lrs })).toBeNull();
    expect(accuracyElbow(lrs.slice(0, 9), accuracies.slice(0, 9))).toBeNull();
    expect(
      accuracyElbow(
        lrs,
        lrs.map(() => 0.25),
      ),
    ).toBeNull();
    const falling = lrs.map((lr) => 0.9 - lr / 20);
    expect(accuracyElbow(lrs, falling)).toBeNull();
  });
});

describe("range test band", () => {
  test("the band: median and extremes at each rate, on while any seed is finite", () => {
    const band = rangeTestBand([
      run(0, [3, 2, 1], [1, 2, 3]),
      run(1, [5, null], [1, 2]),
      run(2, [4, 2], [1, 2]),
    ]);
    expect(band).toEqual([
      { lr: 1, median: 4, min: 3, max: 5, count: 3 },
      {
        lr: 2,
        median: expect.closeTo((2.95 + 3.9) / 2, 12),
        min: expect.closeTo(2.95, 12),
        max: expect.closeTo(3.9, 12),
        count: 2,
      },
      {
        lr: 3,
        median: expect.closeTo(2.8525, 12),
        min: expect.closeTo(2.8525, 12),
        max: expect.closeTo(2.8525, 12),
        count: 1,
      },
    ]);
    expect(rangeTestBand([])).toEqual([]);
  });
});

describe("statistics", () => {
  test("sample deviation, n - 1", () => {
    expect(standardDeviation([0.61, 0.58, 0.66])).toBeCloseTo(0.040414518843273836, 14);
    expect(standardDeviation([0.5])).toBeNull();
  });
  test("spread over the values that are there", () => {
    expect(spreadOf([0.5, null, 0.6, 0.7])).toEqual({
      mean: expect.closeTo(0.6, 14),
      sd: expect.closeTo(0.1, 14),
      values: [0.5, null, 0.6, 0.7],
      // t(0.975, 2) = 4.302653, times 0.1 / sqrt(3) of standard error.
      interval: { low: expect.closeTo(0.6 - 0.248414, 5), high: expect.closeTo(0.6 + 0.248414, 5) },
    });
    expect(spreadOf([0.5, null, 0.7])).toMatchObject({ mean: 0.6, interval: null });
    expect(spreadOf([null])).toEqual({ mean: null, sd: null, values: [null], interval: null });
  });
  test("medians", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(medianRate([1e-4, 1e-2])).toBeCloseTo(1e-3, 12);
    expect(medianRate([5, 1, 3])).toBe(3);
  });
  test("bands follow curves of unequal length over gaps", () => {
    expect(bands([[1, 2, null], [3], [5, 4, null, 7]])).toEqual([
      { mean: 3, min: 1, max: 5, count: 3 },
      { mean: 3, min: 2, max: 4, count: 2 },
      null,
      { mean: 7, min: 7, max: 7, count: 1 },
    ]);
    expect(bands([])).toEqual([]);
  });
});
