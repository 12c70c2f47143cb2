/** @file The conclusion on constructed results: each case says what its numbers carry, no more. */

import { describe, expect, test } from "vitest";
import {
  conclude,
  pairedDifferences,
  pairOf,
  recommendedSeeds,
  spreadOf,
} from "../../src/analysis/index.ts";
import type { OptimizerSummary } from "../../src/record/index.ts";

function arm(
  name: string,
  values: readonly (number | null)[],
  more: Partial<OptimizerSummary> = {},
): OptimizerSummary {
  const spread = spreadOf(values);
  return {
    name,
    learningRates: [1e-3],
    seeds: values.map((_, seed) => seed),
    finalValidationAccuracy: spread,
    bestValidationAccuracy: spread,
    last10ValidationAccuracy: spread,
    msPerStep: null,
    diverged: 0,
    ...more,
  };
}
const say = (...optimizers: OptimizerSummary[]) =>
  conclude({ optimizers, pairs: pairedDifferences(optimizers), epochs: 150 });

/** Ten seeds around a centre, moving together but for a little noise of each arm's own. */
const around = (centre: number, noise: number, phase: number) =>
  Array.from(
    { length: 10 },
    (_, i) => centre + 0.01 * Math.sin(i * 1.3) + noise * Math.sin(i * 2.9 + phase),
  );

describe("conclusion", () => {
  test("a clear winner over ten seeds", () => {
    const text = say(arm("adam", around(0.82, 0.002, 0)), arm("rmsprop", around(0.72, 0.002, 2)));
    expect(text).toMatch(
      /^After 150 epochs adam leads with a validation accuracy of 82\.\d% \(mean of 10 seeds\), 10\.\d points ahead of rmsprop \(95% interval \+9\.\d to \+10\.\d\)\. That is more than chance: exact sign-flip p = 0\.002\./,
    );
    expect(text).toContain("The ranking holds at these learning rates.");
    expect(text).not.toMatch(/may be chance|cannot reach/);
  });

  test("three seeds cannot decide, whatever the difference; how many would is said", () => {
    const text = say(arm("sgd+clr", [0.82, 0.8, 0.83]), arm("adam", [0.8, 0.795, 0.79]));
    expect(text).toContain("sgd+clr leads with a validation accuracy of 81.7% (mean of 3 seeds)");
    expect(text).toContain(
      "3 seeds cannot reach p < 0.05 in a sign-flip test whatever happens: the least is 0.25.",
    );
    expect(text).toContain("The interval includes 0, so the lead may be chance");
    const pair = pairedDifferences([
      arm("sgd+clr", [0.82, 0.8, 0.83]),
      arm("adam", [0.8, 0.795, 0.79]),
    ])[0]!;
    const seeds = recommendedSeeds(pair)!;
    expect(seeds).toBe(Math.max(6, pair.seedsNeeded!));
    expect(text).toContain(`${seeds} seeds of these two would show it with power 0.8`);
    expect(text).toContain(`Next: compare sgd+clr and adam alone over ${seeds} seeds.`);
  });

  test("an interval that excludes 0 on three seeds is still not called established", () => {
    const text = say(arm("a", [0.82, 0.8, 0.83]), arm("b", [0.721, 0.7, 0.729]));
    expect(text).toContain("The interval excludes 0, but it rests on few seeds");
    expect(text).toContain("cannot reach p < 0.05 in a sign-flip test whatever happens");
    expect(text).not.toContain("more than chance");
    expect(text).toContain("6 seeds of these two would show it");
  });

  test("six seeds with fifteen comparisons: the correction is what is out of reach", () => {
    const arms = ["a", "b", "c", "d", "e", "f"].map((name, i) =>
      arm(name, around(0.8 - 0.02 * i, 0.002, i).slice(0, 6)),
    );
    const text = say(...arms);
    expect(text).toContain(
      "6 seeds cannot reach p < 0.05 in a sign-flip test with 15 comparisons to correct for.",
    );
    expect(text).toContain("(10 if all 15 comparisons are to be tested again)");
    expect(text).toContain("c, d, e and f ended below a on every seed, by 4.");
  });

  test("a tie is called one", () => {
    const text = say(arm("adam", [0.8, 0.7]), arm("adamax", [0.7, 0.8]), arm("sgd", [0.5, 0.5]));
    expect(text).toMatch(
      /^After 150 epochs adam and adamax are level: both reached a mean validation accuracy of 75\.0%\./,
    );
    expect(text).not.toContain("leads");
    expect(text).toContain("Next: choose between adam and adamax by cost");
  });

  test("equal values on every seed", () => {
    const text = say(arm("a", [0.8, 0.8, 0.8]), arm("b", [0.8, 0.8, 0.8]));
    expect(text).toContain("a and b are level");
    expect(text).not.toMatch(/NaN|null|Infinity|undefined/);
  });

  test("a lead of next to nothing is not chased with more seeds", () => {
    const text = say(arm("a", around(0.801, 0.02, 0)), arm("b", around(0.8, 0.02, 2)));
    expect(text).toContain("The lead may be chance: exact sign-flip p = ");
    expect(text).toContain("their difference is too small to chase");
    expect(text).not.toContain("with power 0.8");
  });

  test("one seed each", () => {
    const text = say(arm("adam", [0.8]), arm("sgd", [0.75]));
    expect(text).toContain(
      "adam leads with a validation accuracy of 80.0% (one seed), 5.0 points ahead of sgd.",
    );
    expect(text).toContain("With one seed in common the difference may be chance");
    expect(text).toContain("Next: 6 seeds or more");
  });

  test("one arm, of several seeds and of one", () => {
    expect(say(arm("adam", [0.8, 0.82, 0.81]))).toBe(
      "After 150 epochs adam reached a validation accuracy of 81.0% (mean of 3 seeds; 95% interval 78.5 to 83.5%).",
    );
    expect(say(arm("adam", [0.8]))).toBe(
      "After 150 epochs adam reached a validation accuracy of 80.0% with one seed; how much another seed would change is not known. Next: repeat it with more seeds.",
    );
  });

  test("a diverged arm is named, and what is left of it is not trusted", () => {
    const text = say(
      arm("adam", [0.8, 0.81, 0.82]),
      arm("rmsprop", [0.85, null, null], { diverged: 2 }),
      arm("sgd@10", [null, null, null], { diverged: 3 }),
    );
    expect(text).toContain(
      "rmsprop diverged on 2 of 3 seeds and sgd@10 on all 3 seeds. The mean of rmsprop is of the seeds that were left, which flatters it.",
    );
    expect(text).toContain("Next: give sgd@10 a lower rate, or find one with a range test.");
  });

  test("a leader that diverged on a seed is not recommended as it is", () => {
    const text = say(
      arm("rmsprop", [0.85, null, 0.86], { diverged: 1 }),
      arm("adam", [0.8, 0.81, 0.82]),
    );
    expect(text).toContain("Next: rmsprop at a lower rate; one at which some seeds diverge");
  });

  test("the pair's own difference is given where the means are of different seeds", () => {
    const text = say(arm("a", [0.8, 0.84, null], { failed: 1 }), arm("b", [0.79, 0.8, 0.7]));
    expect(text).toContain(
      "5.7 points ahead of b (on the 2 seeds that both finished: +2.5, 95% interval",
    );
    expect(text).toContain("a failed on 1 of 3 seeds.");
  });

  test("all diverged; nothing finished; nothing at all", () => {
    expect(say(arm("sgd", [null, null], { diverged: 2 }))).toBe(
      "Every trial diverged: no learning rate tried here can be trained with. Next: lower the rates, or find them with a range test.",
    );
    expect(say(arm("sgd", [null, null], { unfinished: 2 }))).toBe(
      "No trial is finished, so there is nothing to conclude yet. sgd is not finished on all 2 seeds. Next: finish the trials that are left.",
    );
    expect(say()).toBe("Nothing was trained.");
  });

  test("a step's cost that the updates do not explain is not put down to the optimizer", () => {
    const timed = (name: string, msPerStep: number, optimizerShare: number) =>
      arm(name, [0.8, 0.78], { msPerStep, optimizerShare });
    const text = say(timed("sgd", 180, 0.003), timed("adam", 330, 0.0048));
    expect(text).toContain(
      "A step took 180 ms (sgd) to 330 ms (adam), but the optimizers’ updates only 0.54 to 1.6 ms of that: the rest of the difference is how busy the machine was, not the optimizers.",
    );
    expect(text).not.toContain("cheapest");
  });

  test("nor to the machine, where the arms do not do the same work", () => {
    const timed = (name: string, msPerStep: number, optimizerShare: number) =>
      arm(name, [0.8, 0.78], { msPerStep, optimizerShare });
    const optimizers = [timed("head: adam", 0.8, 0.25), timed("layer4: adam", 520, 0.025)];
    const pairs = pairedDifferences(optimizers);
    expect(conclude({ optimizers, pairs, epochs: 10, sameWork: false })).toContain(
      "A step is cheapest with head: adam (0.80 ms) and dearest with layer4: adam (520 ms, 650 times as much); the optimizer’s update is 2.5% to 25% of it.",
    );
  });

  test("cost per step and the optimizer's part of it", () => {
    const timed = (name: string, value: number, msPerStep: number, optimizerShare: number) =>
      arm(name, [value, value - 0.02], { msPerStep, optimizerShare });
    expect(say(timed("adam", 0.8, 231, 0.09), timed("sgd", 0.7, 210, 0.021))).toContain(
      "A step is cheapest with sgd (210 ms) and dearest with adam (231 ms, 10% more); the optimizer’s update is 2.1% to 9.0% of it.",
    );
    expect(say(timed("adam", 0.8, 212, 0.09), timed("sgd", 0.7, 210, 0.021))).toContain(
      "A step costs about the same with every arm (210 to 212 ms; the optimizer’s update is 2.1% to 9.0% of it).",
    );
  });

  test("the test part has the last word on the leader", () => {
    const text = say(
      arm("adam", [0.8, 0.82], { testAccuracy: spreadOf([0.77, 0.79]) }),
      arm("sgd", [0.7, 0.72]),
    );
    expect(text).toContain(
      "On the test part, which played no role in choosing, adam scores 78.0%.",
    );
  });
});

describe("pairOf", () => {
  test("turns a pair round, intervals and probability with it", () => {
    const pairs = pairedDifferences([arm("a", [0.5, 0.6, 0.72]), arm("b", [0.4, 0.65, 0.6])]);
    const [forth, back] = [pairOf(pairs, "a", "b")!, pairOf(pairs, "b", "a")!];
    expect(back.mean).toBeCloseTo(-forth.mean!, 12);
    expect(back.interval!.low).toBeCloseTo(-forth.interval!.high, 12);
    expect(back.probability).toBeCloseTo(1 / 3, 12);
    expect(back.differences).toEqual(forth.differences.map((d) => -d));
    expect(pairOf(pairs, "a", "c")).toBeUndefined();
  });
});
