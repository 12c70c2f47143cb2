import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TrialHistory } from "../../record/index.ts";
import { aboveMedian, halving, medianOfOthers, promotable, ranking } from "./rules.ts";
import { type ArmAtRung, armAtRung } from "./scores.ts";

const at = (scores: readonly (number | null)[]): ArmAtRung[] =>
  scores.map((score, i) => ({
    ...{ arm: `arm${i}`, seeds: [0], score, best: score, average: score },
  }));

const history = (
  seed: number,
  curve: readonly (number | null)[],
  more: Partial<TrialHistory["trial"]> = {},
): TrialHistory =>
  ({
    trial: { arm: "a", seed, status: "paused", divergence: null, ...more },
    metrics: curve.map((validationAccuracy, i) => ({ epoch: i + 1, validationAccuracy })),
  }) as unknown as TrialHistory;

describe("successive halving", () => {
  test("follows the worked bracket of Li et al., table 1: nine arms, R = 9, reduction 3", () => {
    // Nine train for one unit, three of them for three, one of those for nine.
    const scores = [0.31, 0.52, 0.48, 0.77, 0.12, 0.66, 0.59, 0.7, 0.05];
    const first = halving(at(scores), { reduction: 3, least: 1 });
    expect([...first].sort()).toEqual(["arm3", "arm5", "arm7"]);
    const three = at(scores).filter(({ arm }) => first.has(arm));
    expect([...halving(three, { reduction: 3, least: 1 })]).toEqual(["arm3"]);
  });

  test("is what sorting and cutting gives, and never fewer than asked for", () => {
    const scores = fc.array(fc.option(fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
    });
    const run = fc.record({
      scores,
      reduction: fc.integer({ min: 2, max: 5 }),
      least: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(run, ({ scores: drawn, reduction, least }) => {
        const going = halving(at(drawn), { reduction, least });
        const places = drawn.map((score, i) => ({ i, score: score ?? Number.NEGATIVE_INFINITY }));
        // By selection: the greatest is taken out again and again, the first of equal ones first.
        const wanted: string[] = [];
        const count = Math.max(least, Math.floor(drawn.length / reduction));
        while (wanted.length < Math.min(count, drawn.length)) {
          let best = places[0]!;
          for (const place of places) if (place.score > best.score) best = place;
          places.splice(places.indexOf(best), 1);
          wanted.push(`arm${best.i}`);
        }
        expect([...going].sort()).toEqual(wanted.sort());
      }),
    );
  });

  test("puts arms of which a seed diverged last", () => {
    expect(ranking(at([0.1, null, 0.2])).map(({ arm }) => arm)).toEqual(["arm2", "arm0", "arm1"]);
  });
});

test("of those that have come so far one in so many goes on, and none twice", () => {
  expect(promotable(at([0.5, 0.6]), new Set(), 3)).toEqual([]);
  expect(promotable(at([0.5, 0.6, 0.1]), new Set(), 3)).toEqual(["arm1"]);
  expect(promotable(at([0.5, 0.6, 0.1]), new Set(["arm1"]), 3)).toEqual([]);
  expect(promotable(at([0.5, 0.6, 0.1, 0.7, 0, 0]), new Set(["arm1"]), 3)).toEqual(["arm3"]);
});

describe("the median rule", () => {
  test("is that of Golovin et al.: best so far against the median of the others' running averages", () => {
    const curves = [
      [0.2, 0.5, 0.6],
      [0.4, 0.41, 0.29],
      [0.1, 0.2, 0.9],
      [0.3, 0.35, 0.36],
    ];
    const arms = curves.map((curve, i) => ({
      arm: `arm${i}`,
      ...{ seeds: [0], score: curve.at(-1)!, best: Math.max(...curve) },
      average: curve.reduce((sum, value) => sum + value, 0) / curve.length,
    }));
    // Averages 13/30, 11/30, 12/30 and 10.1/30; of three others the middle one.
    const medians = [11 / 30, 12 / 30, 11 / 30, 12 / 30];
    for (const [i, median] of medians.entries())
      expect(medianOfOthers(arms, `arm${i}`)).toBeCloseTo(median, 12);
    // 0.36 alone is below its own, 0.4; 0.41 of the second is not.
    expect([...aboveMedian(arms, { least: 1 })]).toEqual(["arm0", "arm1", "arm2"]);
  });

  test("needs two others, and leaves as many as it must", () => {
    expect(aboveMedian(at([0.1, 0.9]), { least: 1 }).size).toBe(2);
    expect([...aboveMedian(at([0.1, 0.9, 0.8]), { least: 1 })]).toEqual(["arm1", "arm2"]);
    expect(aboveMedian(at([0.1, 0.9, 0.8]), { least: 3 }).size).toBe(3);
  });
});

describe("an arm at a rung", () => {
  const seeds = [0, 1];

  test("is judged by the mean of its seeds at that epoch", () => {
    const trials = [history(1, [0.2, 0.6, 0.9]), history(0, [0.1, 0.4, 0.1])];
    expect(armAtRung("a", trials, { epoch: 2, seeds })).toEqual({
      ...{ arm: "a", seeds },
      score: (0.4 + 0.6) / 2,
      best: (0.4 + 0.6) / 2,
      average: ((0.1 + 0.2) / 2 + (0.4 + 0.6) / 2) / 2,
    });
  });

  test("has not come there while a seed is missing, is on its way, or has failed", () => {
    const one = history(0, [0.1, 0.4]);
    const none = (other: TrialHistory[]) =>
      expect(armAtRung("a", [one, ...other], { epoch: 2, seeds })).toBeNull();
    none([]);
    none([history(1, [0.2], { status: "interrupted" })]);
    none([history(1, [0.2, 0.6], { status: "failed" })]);
  });

  test("takes the latest validation, and a seed that ended before as it was", () => {
    const late = [history(0, [0.1, null]), history(1, [0.3, null])];
    expect(armAtRung("a", late, { epoch: 2, seeds })?.score).toBeCloseTo(0.2, 12);
    const ended = [history(0, [0.9], { status: "done" }), history(1, [0.2, 0.5])];
    expect(armAtRung("a", ended, { epoch: 2, seeds })?.score).toBeCloseTo(0.7, 12);
  });

  test("has no score where a seed diverged by then", () => {
    const divergence = { update: 1, learningRate: 1, epoch: 1 };
    const trials = [history(0, [0.4, 0.4]), history(1, [null], { status: "diverged", divergence })];
    expect(armAtRung("a", trials, { epoch: 2, seeds })).toMatchObject({ score: null, best: null });
  });
});
