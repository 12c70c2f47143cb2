/**
 * @file What the conclusion claims, on experiments whose truth is known: `npm run simulate` makes the tables of
 * docs/guide/statistics.md of the same cells, with more experiments. Everything is drawn from fixed seeds.
 */

import { describe, expect, test } from "vitest";
import { seedsNeeded } from "../../src/analysis/index.ts";
import { type Cell, simulate } from "./experiments.ts";

/** What a rate of 5% is not above but for once in a thousand cells: 3 standard errors. */
const most = (experiments: number) => 0.05 + 3 * Math.sqrt((0.05 * 0.95) / experiments);

const EXPERIMENTS = 300;

describe("equal arms", () => {
  test.each<Cell>([
    { arms: 2, seeds: 3, noise: "normal" },
    { arms: 2, seeds: 6, noise: "heavy tails" },
    { arms: 6, seeds: 3, noise: "skewed" },
    { arms: 6, seeds: 8, noise: "normal" },
    { arms: 6, seeds: 5, noise: "uneven" },
    { arms: 2, seeds: 3, noise: "normal", images: 60 },
    { arms: 6, seeds: 8, noise: "normal", missing: "pruned" },
    { arms: 3, seeds: 8, noise: "normal", missing: "hard seeds" },
  ])("are called apart in at most 5%%: %o", (cell) => {
    const rates = simulate(cell, EXPERIMENTS, 1);
    expect(rates.false).toBeLessThanOrEqual(most(EXPERIMENTS));
    expect(rates.falseSentence).toBeLessThanOrEqual(rates.false);
    expect([rates.leaderBehind, rates.falselyNegligible]).toEqual([0, 0]);
  });

  test("the interval of a difference holds it in 95%", () => {
    const { pairCoverage } = simulate({ arms: 2, seeds: 5, noise: "normal" }, EXPERIMENTS, 2);
    expect(Math.abs(pairCoverage! - 0.95)).toBeLessThan(3 * Math.sqrt((0.05 * 0.95) / EXPERIMENTS));
  });
});

test("arms that differ on these images alone are not called apart for others", () => {
  const rates = simulate({ arms: 2, seeds: 6, noise: "normal", images: 173, taste: 1 }, 200, 3);
  expect(rates.falseBeyond).toBeLessThanOrEqual(most(200));
  // The test over seeds alone does call them apart: that they differ here is true, and said of these images.
  expect(rates.false).toBeGreaterThan(0.05);
});

describe("so many seeds show it", () => {
  test.each([
    [2, 2],
    [2, 1.3],
    [3, 1.8],
  ])("%i arms, %f standard deviations", (arms, effect) => {
    const seeds = seedsNeeded(effect, (arms * (arms - 1)) / 2)!;
    const { found, false: wrong } = simulate(
      { arms, seeds, effect, noise: "normal" },
      EXPERIMENTS,
      4,
    );
    const error = 3 * Math.sqrt((0.8 * 0.2) / EXPERIMENTS);
    expect(found).toBeGreaterThan(0.8 - error);
    expect(wrong).toBeLessThanOrEqual(most(EXPERIMENTS));
    // And not far more than asked for: one seed fewer would not do.
    const fewer = simulate({ arms, seeds: seeds - 1, effect, noise: "normal" }, EXPERIMENTS, 5);
    expect(fewer.found).toBeLessThan(0.8 + error);
  });
});
