/** @file The conclusion on constructed results: each case says what its numbers carry, no more. */

import { describe, expect, test } from "vitest";
import {
  conclude,
  isNegligible,
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
      /^After 150 epochs adam leads with a validation accuracy of 82\.\d% \(mean of 10 seeds\), 10\.\d points ahead of rmsprop \(95% interval \+9\.\d to \+10\.\d\)\. That is more than chance: p < 0\.001 by the t test and p = 0\.002 by the sign-flip test\. That is so on these validation images; what others would change is not recorded\./,
    );
    expect(text).toContain("Next: see with --sensitivity 5");
    expect(text).not.toMatch(/may be chance|if the differences|ranking holds/);
  });

  test("three seeds that do not differ more than they scatter; how many would do is said", () => {
    const arms = [arm("sgd+clr", [0.82, 0.8, 0.83]), arm("adam", [0.8, 0.795, 0.79])] as const;
    const text = say(...arms);
    expect(text).toContain("sgd+clr leads with a validation accuracy of 81.7% (mean of 3 seeds)");
    expect(text).toContain(
      "The difference may be chance: p = 0.17 by the t test and p = 0.25 by the sign-flip test.",
    );
    const seeds = recommendedSeeds(pairedDifferences(arms)[0]!)!;
    expect(seeds).toBeGreaterThanOrEqual(6);
    expect(text).toContain(`${seeds} seeds of these two alone would show it with power 0.8`);
    // Seeds that were not looked at yet: the same ones would give the same differences again.
    expect(text).toContain(
      `Next: compare sgd+clr and adam alone over ${seeds} new seeds (--seed 3 --seeds ${seeds}).`,
    );
  });

  test("three seeds far apart: more than chance on a condition that is named", () => {
    const text = say(arm("a", [0.82, 0.8, 0.83]), arm("b", [0.721, 0.7, 0.729]));
    expect(text).toContain(
      "That is more than chance if the differences between seeds are about normally distributed: p < 0.001 by the t test.",
    );
    expect(text).toContain(
      "The sign-flip test, which assumes no distribution, cannot tell with 3 seeds (p = 0.25); from 6 on it can.",
    );
    expect(text).toContain("6 seeds of these two alone would show it without that condition");
  });

  test("six seeds with fifteen comparisons: the correction is out of the sign-flip test's reach", () => {
    const arms = ["a", "b", "c", "d", "e", "f"].map((name, i) =>
      arm(name, around(0.8 - 0.02 * i, 0.002, i).slice(0, 6)),
    );
    const text = say(...arms);
    expect(text).toContain("p < 0.001 by the t test (corrected for 15 comparisons).");
    expect(text).toContain(
      "cannot tell with 6 seeds and 15 comparisons (p = 0.47); from 10 on it can.",
    );
    expect(text).toMatch(
      /c, d, e and f are behind a by 4\.\d to 10\.\d points, more than chance on the same condition\./,
    );
    expect(text).not.toContain("every seed");
  });

  test("one arm told apart and another not, each for itself", () => {
    // A and B move together; C jumps up and down by five points about both.
    const seeds = Array.from({ length: 8 }, (_, seed) => seed);
    const text = say(
      arm(
        "A",
        seeds.map((s) => 0.75 + 0.001 * (s % 3)),
      ),
      arm(
        "B",
        seeds.map((s) => 0.74 + 0.001 * ((s + 1) % 3)),
      ),
      arm(
        "C",
        seeds.map((s) => 0.735 + 0.05 * (s % 2 ? 1 : -1)),
      ),
    );
    expect(text).toContain("1.0 point ahead of B");
    expect(text).toContain("That is more than chance: ");
    expect(text).toContain("(both corrected for 3 comparisons)");
    expect(text).toContain("C is not told apart from A.");
    expect(text).not.toContain("either");
  });

  test("a tie is called one, and two seeds say no more about it", () => {
    const text = say(arm("adam", [0.8, 0.7]), arm("adamax", [0.7, 0.8]), arm("sgd", [0.5, 0.5]));
    expect(text).toMatch(
      /^After 150 epochs adam and adamax are level to a tenth of a point: 75\.0% \(mean of 2 seeds\)\. With 2 seeds in common nothing says/,
    );
    expect(text).not.toMatch(/leads|too small to chase/);
    expect(text).toContain("Next: 6 seeds or more");
  });

  test("equal values on every seed", () => {
    const text = say(arm("a", [0.8, 0.8, 0.8]), arm("b", [0.8, 0.8, 0.8]));
    expect(text).toContain("a and b are level");
    expect(text).not.toMatch(/NaN|null|Infinity|undefined/);
  });

  test("a lead that rounds to nothing is none", () => {
    const text = say(arm("a", [0.7502, 0.7601, 0.77]), arm("b", [0.75, 0.76, 0.77]));
    expect(text).toContain("a and b are level to a tenth of a point");
    expect(text).not.toContain("0.0 points");
  });

  test("too small to chase only where the interval is within a point", () => {
    const wide = say(arm("a", around(0.801, 0.02, 0)), arm("b", around(0.8, 0.02, 2)));
    expect(wide).toContain("The difference may be chance: ");
    expect(wide).toContain("more than 50 seeds would be needed");
    expect(wide).not.toMatch(/too small to chase|with power 0\.8|within/);
    const narrow = say(arm("a", around(0.8004, 0.002, 0)), arm("b", around(0.8, 0.002, 2)));
    expect(narrow).toContain("within 1.0 point of each other on these images");
    expect(narrow).toContain("their difference is too small to chase");
  });

  test("the margin holds for the interval at 0.1 over the comparisons, by hand", () => {
    // Differences 0, 0.008, 0.004: mean 0.004, standard error 0.0023094, t(0.95, 2) = 2.919986, reach 0.0067434.
    const of = (...names: string[]) =>
      pairedDifferences(
        names.map((name, i) =>
          arm(
            name,
            [0.7, 0.708, 0.704].map((v) => (i === 0 ? v : 0.7)),
          ),
        ),
      );
    const pairs = of("a", "b");
    expect(isNegligible(pairs[0]!, { pairs })).toBe(false);
    const nearer = { ...pairs[0]!, differences: pairs[0]!.differences.map((d) => d - 0.001) };
    expect(isNegligible(nearer, { pairs })).toBe(true);
    // With three pairs to correct for the same interval reaches further.
    expect(isNegligible(nearer, { pairs: of("a", "b", "c") })).toBe(false);
  });

  test("one seed each", () => {
    const text = say(arm("adam", [0.8]), arm("sgd", [0.75]));
    expect(text).toContain(
      "adam leads with a validation accuracy of 80.0% (one seed), 5.0 points ahead of sgd.",
    );
    expect(text).toContain("With 1 seed in common nothing says how much another would change");
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

  test("a diverged arm is named, and what is left of it is not compared", () => {
    const text = say(
      arm("adam", [0.8, 0.81, 0.82]),
      arm("rmsprop", [0.85, null, null], { diverged: 2 }),
      arm("sgd@10", [null, null, null], { diverged: 3 }),
    );
    expect(text).toMatch(/^After 150 epochs adam reached a validation accuracy of 81\.0%/);
    expect(text).toContain("rmsprop diverged on 2 of 3 seeds and sgd@10 on all 3 seeds.");
    expect(text).toContain("Without a final accuracy: rmsprop on seeds 1 and 2.");
    expect(text).toContain(
      "The mean of rmsprop is of the seeds that were left, which flatters it.",
    );
    expect(text).toContain("rmsprop finished less than half of 3 seeds, and is not compared");
    expect(text).toContain("Next: give sgd@10 a lower rate, or find one with a range test.");
  });

  test("a leader that diverged on a seed is not recommended as it is", () => {
    const text = say(
      arm("rmsprop", [0.85, null, 0.86], { diverged: 1 }),
      arm("adam", [0.8, 0.81, 0.82]),
    );
    expect(text).toContain("Next: rmsprop at a lower rate; one at which some seeds diverge");
  });

  test.each(["diverged", "failed", "pruned"] as const)(
    "an arm that %s on the hard seeds does not lead by the easy ones",
    (status) => {
      const hard = (seed: number) => seed >= 8;
      const seeds = Array.from({ length: 16 }, (_, seed) => seed);
      const b = seeds.map((s) => (hard(s) ? 0.6 : 0.74 + 0.002 * (s % 3)));
      const a = seeds.map((s) => (hard(s) ? null : b[s]! - 0.01 - 0.001 * (s % 4)));
      const text = say(arm("A", a, { [status]: 8 }), arm("B", b));
      // The means are 73.0% and 67.1%; on the seeds in common B is ahead on each.
      expect(text).toMatch(
        /^After 150 epochs B leads with a validation accuracy of 74\.2% \(mean of the 8 seeds that both finished\), 1\.2 points ahead of A \(95% interval \+1\.1 to \+1\.2\)\. That is more than chance/,
      );
      expect(text).toContain("Without a final accuracy: A on seeds 8 to 15.");
      expect(text).toContain("which flatters it");
    },
  );

  test("an arm with two of eight seeds is not compared with the others", () => {
    const seeds = Array.from({ length: 8 }, (_, seed) => seed);
    const text = say(
      arm(
        "A",
        seeds.map((s) => 0.75 + 0.01 * (s % 3)),
      ),
      arm(
        "B",
        seeds.map((s) => 0.745 + 0.012 * ((s + 1) % 3)),
      ),
      arm(
        "C",
        seeds.map((s) => (s < 2 ? 0.7 + 0.01 * (s % 3) : null)),
        { pruned: 6 },
      ),
    );
    expect(text).toContain(
      "C was pruned on 6 of 8 seeds. Without a final accuracy: C on seeds 2 to 7.",
    );
    expect(text).toContain("C finished less than half of 8 seeds, and is not compared");
    expect(text).not.toMatch(/every seed|behind A|0\.0 points/);
  });

  test("arms without a seed in common cannot be compared", () => {
    const text = say(
      arm("a", [0.8, 0.81, null, null], { failed: 2 }),
      arm("b", [null, null, 0.7, 0.71], { failed: 2 }),
    );
    expect(text).toContain("the two have no seed in common, so they cannot be compared");
    expect(text).not.toContain("leads");
  });

  test("what ran is said, and not what might have", () => {
    const arms = [
      arm("adam", [0.31, 0.33], { epochs: [1, 2] }),
      arm("sgd", [0.3, 0.32], { epochs: [5, 4] }),
    ];
    const text = conclude({
      optimizers: arms,
      pairs: pairedDifferences(arms),
      epochs: 1000,
      targetAccuracy: 0.3,
    });
    expect(text).toMatch(/^After 1 to 5 epochs of at most 1,000 adam leads/);
    expect(text).toContain("Trials ended at a validation accuracy of 30.0%");
  });

  test("arms at the level of guessing are called that, and their rates are doubted first", () => {
    const arms = [
      arm("adam", [0.7, 0.72, 0.71]),
      arm("sgd+clr", [0.25, 0.25, 0.26], { guessing: true }),
    ];
    const guess = { answer: "tulip", accuracy: 0.25 };
    const told = (optimizers: readonly OptimizerSummary[]) =>
      conclude({ optimizers, pairs: pairedDifferences(optimizers), epochs: 10, guess });
    expect(told(arms)).toContain(
      "sgd+clr (25.3%) is at the level of guessing: always answering “tulip” scores 25.0%. Doubt its learning rate first.",
    );
    expect(told(arms)).toContain("Next: find sgd+clr another learning rate, with a range test.");
    const both = arms.map((one) => ({ ...one, guessing: true }));
    expect(told(both)).toMatch(/^After 10 epochs no arm does better than guessing/);
    expect(told(both)).not.toMatch(/leads|more than chance/);
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
    expect(say(timed("adam", 0.8, 38.2, 0.09), timed("sgd", 0.7, 37.9, 0.021))).toContain(
      "A step costs about the same with every arm (38 ms; ",
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
