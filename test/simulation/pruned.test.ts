import { describe, expect, test } from "vitest";
import { simulatePruned } from "./pruned.ts";

const EXPERIMENTS = 200;
/** Three standard errors above 5%. */
const MOST = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / EXPERIMENTS);

describe.each(["halving", "median"] as const)("%s", (rule) => {
  const of = { rule, arms: 9, correlation: 0.6 };

  test("equal arms that are left are called apart in at most 5%, and what pruning does is said", () => {
    const rates = simulatePruned({ ...of, seeds: 5, effect: 0 }, EXPERIMENTS);
    expect(rates.false).toBeLessThanOrEqual(MOST);
    expect(rates.pairCoverage).toBeGreaterThan(0.9);
    // "a little too high": so it is, and no more than the scatter of one run.
    expect(rates.tooHigh).toBeGreaterThan(0);
    expect(rates.tooHigh).toBeLessThan(0.015);
    expect(rates.said).toBe(1);
  });

  test("the best arm is seldom pruned where it is clearly better, and less so with more seeds", () => {
    const pruned = [1, 5].map(
      (seeds) => simulatePruned({ ...of, seeds, effect: 1 }, EXPERIMENTS).bestPruned,
    );
    expect(pruned[1]).toBeLessThan(0.1);
    expect(pruned[1]).toBeLessThan(pruned[0]!);
  });
});
