/** @file What a range test suggests, and when it cannot say: hand-made curves, properties, refusals. */

import { describe, expect, test } from "vitest";
import {
  accuracyElbow,
  argmin,
  finiteCurve,
  type RangeTestRun,
  rangeTestRules,
  type SuggestOptions,
  smooth,
  suggest,
} from "../index.ts";
import { quadraticRun, rampOf, runOf } from "./test-curves.ts";

/** A curve that falls, flattens and explodes; rates from 1e-5 to 10 over 60 updates. */
const lrs = rampOf(1e-5, 10, 60);
const losses = lrs.map(
  (_, i) =>
    1.2 +
    0.5 / (1 + Math.exp((i - 30) / 4)) +
    0.03 * Math.sin(i * 1.7) +
    (i > 48 ? (0.12 * (i - 48)) ** 3 : 0),
);
const falling = lrs.map((_, i) => 2 - i / 60);
const flat = lrs.map((_, i) => 1.6 + 0.05 * Math.sin(i * 2.3));
const run = (seed: number, of: readonly (number | null)[] = losses, at = lrs) =>
  runOf(seed, of, at);
const published = { reading: "published" } as const;

/** Sums by hand of the losses about each rate, 0.4 powers of ten wide. */
function aboutByHand(of: readonly number[], at = lrs): number[] {
  return at.map((centre, c) => {
    const weights = at.map((lr, i) => {
      const powers = Math.abs(Math.log10(lr / centre)) / 0.4;
      const points = Math.abs(i - c) / (0.1 * at.length);
      return Math.exp(-(Math.max(powers, points) ** 2) / 2);
    });
    const whole = weights.reduce((a, b) => a + b, 0);
    return weights.reduce((sum, weight, i) => sum + weight * of[i]!, 0) / whole;
  });
}

/** What the default rule reads off a curve that did not end early: where a fifth of the fall is left. */
function byHand(of: readonly number[], at = lrs): number {
  const capped = of.map((loss) =>
    Math.min(loss, (2 * of.slice(0, 6).reduce((a, b) => a + b, 0)) / 6),
  );
  const about = aboutByHand(capped, at);
  const least = Math.min(...about.slice(6));
  const begin = capped.slice(0, 6).reduce((a, b) => a + b, 0) / 6;
  const height = least + 0.2 * (begin - least);
  const end = about.indexOf(least);
  return at[about.findLastIndex((loss, i) => i < end && loss > height)]!;
}
const CONSTANT = 1.6;

describe("the mean curve", () => {
  test("where the loss has made four fifths of its fall: times 1.6 a constant rate, times 3.2 a peak", () => {
    const { suggestion, verdict, unguarded, seeds, warnings } = suggest([run(0)]);
    const rate = CONSTANT * byHand(losses);
    const peak = 3.2 * byHand(losses);
    const own = { rule: "fall", interval: null };
    const near = (value: number) => expect.closeTo(value, 12);
    expect(suggestion).toEqual({
      constant: { rate: near(rate), ...own, low: near(rate), high: near(rate) },
      peak: { rate: near(peak), baseLr: near(peak / 6), ...own, low: near(peak), high: near(peak) },
    });
    expect(verdict).toEqual({ kind: "read", message: "", remedy: null });
    expect(unguarded).toBeNull();
    expect(seeds).toEqual([{ seed: 0, status: "read", reason: null, rate: near(rate) }]);
    expect(warnings).toEqual([]);
  });

  test("of several seeds it is that of their mean, about which the interval of their own lies", () => {
    const other = losses.map((_, i) => losses[Math.max(0, i - 3)]!);
    const third = losses.map((_, i) => losses[Math.max(0, i - 1)]!);
    const { suggestion, seeds } = suggest([run(0), run(1, other), run(2, third)]);
    const mean = losses.map((loss, i) => (loss + other[i]! + third[i]!) / 3);
    const { rate, low, high, interval } = suggestion!.constant;
    expect(rate).toBeCloseTo(CONSTANT * byHand(mean), 12);
    const own = seeds.map((seed) => seed.rate!);
    for (const [i, each] of [losses, other, third].entries())
      expect(own[i]).toBeCloseTo(CONSTANT * byHand(each), 12);
    expect([low, high]).toEqual([Math.min(rate, ...own), Math.max(rate, ...own)]);
    // t(0.975, 2) = 4.30265, on the log scale.
    const logs = own.map(Math.log);
    const centre = logs.reduce((a, b) => a + b, 0) / 3;
    const sd = Math.sqrt(logs.reduce((sum, x) => sum + (x - centre) ** 2, 0) / 2);
    const half = (4.3026527 * sd) / Math.sqrt(3);
    expect(Math.log(interval!.low / rate)).toBeCloseTo(-half, 6);
    expect(Math.log(interval!.high / rate)).toBeCloseTo(half, 6);
  });

  test("below three seeds there is no interval", () => {
    for (const seeds of [1, 2])
      expect(suggest([run(0), run(1)].slice(0, seeds)).suggestion!.constant.interval).toBeNull();
  });

  test("a seed that cannot be read is left out and named", () => {
    const { suggestion, seeds, warnings, doubts } = suggest([
      run(3),
      run(4, flat),
      run(5),
      run(6, [null]),
    ]);
    expect(suggestion!.constant.rate).toBeCloseTo(CONSTANT * byHand(losses), 12);
    expect(seeds.map(({ status, reason, rate }) => [status, reason, rate !== null])).toEqual([
      ["read", null, true],
      ["left out", "too flat to tell", false],
      ["read", null, true],
      ["left out", "no finite loss", false],
    ]);
    expect(warnings).toEqual([
      "seed 4 (1 of 4) was left out: too flat to tell",
      "seed 6 (1 of 4) was left out: no finite loss",
    ]);
    expect(doubts.map(({ kind, seeds: of }) => [kind, of])).toEqual([
      ["too-flat", [4]],
      ["no-finite-loss", [6]],
    ]);
  });

  test("seeds of which each is too noisy by itself may be read together", () => {
    const ramp = rampOf(1e-4, 10, 40);
    const noisy = Array.from({ length: 20 }, (_, seed) =>
      quadraticRun({ seed, lrs: ramp, noise: 0.6 }),
    );
    const whole = suggest(noisy, { from: 1e-4, to: 10 });
    expect(whole.seeds.filter(({ rate }) => rate === null).length).toBeGreaterThan(10);
    expect(whole.verdict.kind).toBe("read");
    expect(whole.warnings.join()).toContain("read only together with the others: too flat to tell");
    expect(whole.seeds.every(({ status }) => status === "read")).toBe(true);
  });

  test("a loss that is least at the ramp's first update makes no rate", () => {
    // One batch that was easy by chance, before anything moved.
    const lucky = [0.9, ...losses.slice(1)];
    const { suggestion } = suggest([run(0, lucky)]);
    const without = suggest([run(0)]).suggestion!;
    const ratio = suggestion!.constant.rate / without.constant.rate;
    expect(Math.abs(Math.log10(ratio))).toBeLessThan(0.2);
    const alone = suggest([run(0, [0.9, ...flat.slice(1)])]);
    expect(alone.suggestion).toBeNull();
  });

  test("elbow: its rate is a peak, with a lower bound of its own", () => {
    // Chance up to rate 2, a straight rise to 0.75 at 5, a slower one to 0.9 at 8, then a fall.
    const rates = Array.from({ length: 201 }, (_, i) => 0.05 + i / 20);
    const accuracies = rates.map((lr) => {
      if (lr <= 2) return 0.25;
      if (lr <= 5) return 0.25 + (lr - 2) / 6;
      return lr <= 8 ? 0.75 + (lr - 5) / 20 : 0.9 - (lr - 8) / 4;
    });
    const points = (holes: boolean) =>
      rates.map((lr, update) => ({
        ...{ update, lr, loss: 2 - accuracies[update]!, smoothedLoss: 2 - accuracies[update]! },
        ...(holes && update === 7 ? {} : { accuracy: accuracies[update]! }),
      }));
    const asked = { rule: "elbow" } as const;
    const { suggestion } = suggest([{ seed: 0, points: points(false) }], asked);
    const { baseLr, maxLr } = accuracyElbow(rates, accuracies)!;
    expect(suggestion!.peak).toMatchObject({ rule: "elbow", baseLr, rate: maxLr });
    expect(suggestion!.constant.rate).toBeCloseTo(maxLr / 3, 12);
    const holed = suggest([{ seed: 0, points: points(true) }], asked);
    expect(holed.suggestion!.peak.rule).toBe("minimum/10");
    expect(holed.warnings.join()).toContain('no curve carries the rule "elbow"');
  });

  test("refuses an unknown rule", () => {
    expect(() => suggest([run(0)], { rule: "knee" as "valley" })).toThrow(
      'rule must be one of fall, minimum/10, steepest, valley, slide, elbow; got "knee"',
    );
  });
});

describe("it cannot say", () => {
  const said = (runs: readonly RangeTestRun[], options: SuggestOptions = {}) => {
    const { suggestion, verdict, warnings } = suggest(runs, options);
    expect(suggestion === null).toBe(verdict.kind !== "read");
    if (suggestion === null) expect(warnings[0]).toBe(verdict.message);
    return verdict;
  };

  test("where the loss does not fall; with more updates it might", () => {
    const { kind, message, remedy } = said([run(7, flat)]);
    expect(kind).toBe("too-flat");
    expect(message).toContain("too flat to tell: the loss did not fall clearly below");
    // The ramp went to 10 already: only its length can help.
    expect(remedy).toEqual({ updates: 200 });
    const short = rampOf(1e-7, 0.1, 60);
    expect(said([run(7, flat, short)]).remedy).toEqual({ updates: 200, to: 1 });
  });

  test("eight updates of noise are no fall", () => {
    const eight = rampOf(1e-7, 0.1, 8);
    const noise = [1.9, 1.6, 1.75, 1.62, 1.81, 1.55, 1.7, 1.66];
    expect(said([0, 1, 2].map((seed) => run(seed, noise, eight))).kind).toBe("too-flat");
  });

  test.each([10, 16, 19, 20, 21, 39, 40, 100])(
    "where the loss falls to the very last of %i points: a greater end would do",
    (points) => {
      const rates = Array.from({ length: points }, (_, i) => 1e-4 * 1.5 ** i);
      const straight = rates.map((_, i) => 2 - (1.5 * i) / (points - 1));
      const { kind, remedy } = said([run(0, straight, rates)]);
      expect(kind).toBe("not-bracketed");
      expect(remedy!.to! / (10 * rates.at(-1)!)).toBeCloseTo(1, 2);
      expect(suggest([run(0, straight, rates)], published).warnings[0]).toContain(
        "not bracketed: the smoothed loss was still at its least in the last 5% of the ramp for seed 0 (1 of 1); raise --to above",
      );
    },
  );

  test("the boundary: of 100 points a minimum before 95 is bracketed, another is not", () => {
    const rates = rampOf(1e-4, 1, 100);
    const kinds = Array.from({ length: 20 }, (_, i) => 80 + i).map((turn) => {
      const falls = rates.map((_, i) => (i <= turn ? 2 - i / 100 : 2 - (2 * turn - i) / 100));
      const about = aboutByHand(falls, rates);
      return [about.indexOf(Math.min(...about)), said([run(0, falls, rates)]).kind] as const;
    });
    for (const [least, kind] of kinds) expect(kind).toBe(least >= 95 ? "not-bracketed" : "read");
    expect(kinds.map(([least]) => least)).toEqual(expect.arrayContaining([93, 96]));
  });

  test("a ramp that a stop factor or a loss that is not finite ended is bracketed by that", () => {
    const cut = falling.slice(0, 50);
    expect(said([run(0, [...cut, null])]).kind).toBe("read");
    expect(said([run(0, cut)], { to: 10 }).kind).toBe("read");
    expect(said([run(0, cut)]).kind).toBe("not-bracketed");
    const read = suggest([run(0, [...cut, null])], published);
    expect(read.suggestion!.peak.rate).toBe(lrs[49]! / 10);
    expect(read.warnings).toEqual([]);
  });

  test("where the rule reads below the ramp: a lesser beginning would do", () => {
    const rates = rampOf(1e-5, 10, 240);
    const early = rates.map((_, i) => (i < 24 ? 2 : i < 40 ? 1 : 2));
    const { kind, remedy, message } = said([run(0, early, rates)], { rule: "minimum/10" });
    expect(kind).toBe("outside");
    expect(message).toContain("lower --from below 0.00001");
    expect(remedy).toEqual({ from: 1e-7 });
    const rising = lrs.map((_, i) => 1.5 + i / 50);
    expect(said([run(0, rising)], published).kind).toBe("outside");
  });

  test("where no seed has a finite loss, or there is none", () => {
    for (const reading of ["averaged", "published"] as const) {
      const { kind, message } = said([run(0, [null, null])], { reading });
      expect(kind).toBe("no-finite-loss");
      expect(message).toContain("no seed has a finite loss (1 tried)");
      expect(said([], { reading }).message).toContain("(0 tried)");
    }
    expect(suggest([run(0, [null])]).unguarded).toBeNull();
  });

  test("what it would have said without its guards is beside it, inside the ramp", () => {
    const { unguarded } = suggest([run(0, flat)]);
    expect(unguarded!.constant.rate).toBeGreaterThanOrEqual(lrs[0]!);
    expect(unguarded!.peak.rate).toBeLessThanOrEqual(lrs.at(-1)!);
  });
});

describe("as published", () => {
  test("upper bound a tenth of the rate at the smoothed minimum, lower a sixth of that", () => {
    const { suggestion, suggestions, warnings } = suggest([run(0)], published);
    const upper = lrs[argmin(smooth(losses) as number[])]! / 10;
    const bound = { rate: upper, rule: "minimum/10", low: upper, high: upper, interval: null };
    expect(suggestion).toEqual({ constant: bound, peak: { ...bound, baseLr: upper / 6 } });
    expect(Object.keys(suggestions)).toEqual(["fall", "minimum/10", "steepest", "valley", "slide"]);
    expect(warnings).toEqual([]);
  });

  test("of several seeds the median, with the least and the greatest", () => {
    const shifted = (by: number) => lrs.map((lr) => lr * by);
    const one = suggest([run(0)], published).suggestion!.peak.rate;
    const { suggestion } = suggest(
      [3, 1, 2].map((by, seed) => run(seed, losses, shifted(by))),
      published,
    );
    const { rate, low, high } = suggestion!.peak;
    expect(rate / one).toBeCloseTo(2, 12);
    expect(low / one).toBeCloseTo(1, 12);
    expect(high / one).toBeCloseTo(3, 12);
  });

  test("every rule beside the others, seed by seed, with an interval on the log scale", () => {
    const shifted = (by: number) => lrs.map((lr) => lr * by);
    const { readings } = suggest(
      [
        run(0, losses, shifted(1)),
        run(1, [null]),
        run(2, losses, shifted(4)),
        run(3, losses, shifted(2)),
      ],
      { ...published, from: 1e-30, to: 1e30 },
    );
    for (const [name, read] of Object.entries(rangeTestRules)) {
      // Not of the points' smoothed losses, which lag.
      const one = name === "fall" ? byHand(losses) : read(finiteCurve(run(0)));
      const reading = readings![name]!;
      if (one === null) {
        expect(reading).toMatchObject({ median: null, interval: null });
        continue;
      }
      expect(reading.values.map((value) => value && value / one)).toEqual([
        1,
        null,
        expect.closeTo(4, 9),
        expect.closeTo(2, 9),
      ]);
      expect(reading.median! / one).toBeCloseTo(2, 9);
      expect(reading.high! / reading.low!).toBeCloseTo(4, 9);
      // Logs 0, ln 2, 2 ln 2: deviation ln 2, times t(0.975, 2) / sqrt(3), about the geometric mean 2.
      const half = (Math.log(2) * 4.3026527) / Math.sqrt(3);
      expect(Math.log(reading.interval!.high / one / 2)).toBeCloseTo(half, 5);
    }
  });

  test("doubts are said, and the bound stands", () => {
    const { suggestion, warnings, doubts } = suggest([run(4, falling), run(5)], published);
    expect(suggestion).not.toBeNull();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("seed 4 (1 of 2); raise --to above 10");
    expect(doubts).toEqual([{ kind: "not-bracketed", seeds: [4], message: warnings[0] }]);
    expect(suggest([run(7, flat)], published).warnings.join()).toContain("for seed 7 (1 of 1)");
  });

  test("points after the first that is not finite are left out, whatever they hold", () => {
    const cut = [...losses.slice(0, 50), null];
    for (const options of [{}, published]) {
      const noisy = run(0, cut);
      noisy.points.push({ update: 51, lr: 9, loss: 0.001, smoothedLoss: 0.001 });
      expect(suggest([noisy], { ...options, to: 10 }).suggestion).toEqual(
        suggest([run(0, cut)], { ...options, to: 10 }).suggestion,
      );
    }
  });

  test("a seed without any finite loss is left out and named as missing", () => {
    const { suggestion, warnings } = suggest([run(0, [null]), run(1)], published);
    expect(suggestion!.peak.low).toBe(suggestion!.peak.high);
    expect(warnings.join()).toContain("1 of 2 seeds had no finite loss");
  });
});
