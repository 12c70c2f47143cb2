/** @file Which rates a tuning tries, and what it says, on accuracies whose best rate is known. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateOfStep, stepsToTry, type TriedRate, tuningOf } from "./tuning.ts";

/** A parabola over the steps, its top at `best`; each seed's is moved by so much. */
const parabola =
  (best: number, moved: readonly number[] = [0, 0, 0]) =>
  (step: number): TriedRate => ({
    step,
    accuracies: moved.map((by) => 0.9 - 0.02 * (step - best - by) ** 2),
    losses: moved.map((by) => 0.4 + 0.1 * (step - best - by) ** 2),
  });

/** Tries until nothing is left to try; how often it took. */
function run(measure: (step: number) => TriedRate) {
  const tried: TriedRate[] = [];
  for (let rounds = 0; ; rounds++) {
    const steps = stepsToTry(tried);
    if (steps.length === 0) return { tried, rounds };
    if (rounds > 20) throw new Error("it never ends");
    tried.push(...steps.map(measure));
  }
}

const about = { suggested: 0.01, epochs: 2, seeds: [0, 1, 2], schedule: null };
const tune = (measure: (step: number) => TriedRate) => tuningOf(run(measure).tried, about);

test("rates are half and twice, to three digits", () => {
  expect([-2, -1, 0, 1, 2].map((step) => rateOfStep(0.012345, step))).toEqual([
    0.00309, 0.00617, 0.0123, 0.0247, 0.0494,
  ]);
});

test("three rates at once, and no more where the best lies between them", () => {
  expect(stepsToTry([])).toEqual([-1, 0, 1]);
  const { tried, rounds } = run(parabola(0.3));
  expect([tried.length, rounds]).toEqual([3, 1]);
  const tuning = tuningOf(tried, about);
  expect(tuning).toMatchObject({ rate: 0.01, bracketed: true });
  expect(tuning.regret.values).toEqual([0, 0, 0]);
});

test.each([
  [3, 0.08, [-1, 0, 1, 2, 3, 4]],
  [-4, 0.000625, [-5, -4, -3, -2, -1, 0, 1]],
])("goes to the best, %i steps away, and one beyond", (best, rate, steps) => {
  const tuning = tune(parabola(best));
  expect(tuning).toMatchObject({ rate, bracketed: true });
  expect(tuning.candidates.map(({ factor }) => Math.log2(factor))).toEqual(steps);
  // 0.02 a step squared, of each seed.
  for (const gap of tuning.regret.values) expect(gap).toBeCloseTo(0.02 * best ** 2, 12);
});

test("ends 128 times above or below, and says that the best may lie beyond", () => {
  const up = tune(parabola(40));
  expect(up.rate).toBe(1.28);
  expect(up).toMatchObject({ bracketed: false, interval: { high: 1.28 } });
  const down = tune(parabola(-40));
  expect(down.rate).toBe(rateOfStep(0.01, -7));
  expect(down.bracketed).toBe(false);
});

test("a run that diverged counts with nothing, and bounds what is tried", () => {
  const tuning = tune((step) =>
    step > 1
      ? { step, accuracies: [0, 0, 0.5], losses: [null, null, 2] }
      : { step, accuracies: [0.5, 0.5, 0.5 + step / 100], losses: [1 - step, 1 - step, 1 - step] },
  );
  // Means are the greatest at twice the rate; four times it diverged.
  expect(tuning).toMatchObject({ rate: 0.02, bracketed: true });
  expect(tuning.candidates.map(({ diverged }) => diverged)).toEqual([0, 0, 0, 2]);
});

test("of equal accuracies the lesser loss, then the suggestion", () => {
  const flat = (losses: (step: number) => number) => (step: number) => ({
    step,
    accuracies: [0.5, 0.5, 0.5],
    losses: [losses(step), losses(step), losses(step)],
  });
  expect(tune(flat((step) => (step - 1) ** 2)).rate).toBe(0.02);
  expect(tune(flat(() => 1)).rate).toBe(0.01);
});

describe("the interval", () => {
  test("of three seeds whose own best rates are known is their t interval", () => {
    const { interval } = tune(parabola(0, [-0.4, 0, 0.4]));
    // Vertices of parabolas are exact: mean 0, sd 0.4, t of 2 degrees 4.302653.
    const half = (4.302653 * 0.4) / Math.sqrt(3);
    expect(interval.low).toBe(rateOfStep(0.01, -half));
    expect(interval.high).toBe(rateOfStep(0.01, half));
  });

  test("is no narrower than half a step, as rates between were not tried", () =>
    expect(tune(parabola(0.1)).interval).toEqual({ low: 0.00707, high: 0.0141 }));

  test("holds the rate, and lies within what was tried", () =>
    fc.assert(
      fc.property(
        fc.double({ min: -12, max: 12, noNaN: true }),
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 5 }),
        (best, moved) => {
          const tuning = tune(parabola(best, moved));
          const rates = tuning.candidates.map(({ rate }) => rate);
          const { low, high } = tuning.interval;
          expect(low).toBeLessThanOrEqual(tuning.rate);
          expect(high).toBeGreaterThanOrEqual(tuning.rate);
          expect(low).toBeGreaterThanOrEqual(rates[0]!);
          expect(high).toBeLessThanOrEqual(rates.at(-1)!);
          expect(rates).toEqual([...rates].sort((a, b) => a - b));
          // What is best of all that was tried is not below the suggestion.
          expect(tuning.regret.mean!).toBeGreaterThanOrEqual(0);
        },
      ),
    ));
});
