import { expect, test } from "vitest";
import { balancedAccuracy, balancedWeights, noConfusion, perClassAccuracy } from "./scores.ts";

test("accuracy class by class, and its mean, from counts", () => {
  // 8 of 10, 1 of 2, and a class that is absent.
  const perClass = perClassAccuracy([
    [8, 1, 1],
    [1, 1, 0],
    [0, 0, 0],
  ]);
  expect(perClass).toEqual([0.8, 0.5, null]);
  expect(balancedAccuracy(perClass)).toBeCloseTo(0.65, 12);
  expect(balancedAccuracy([null])).toBeNull();
});

test("balanced weights are scikit-learn's n / (K n_c)", () => {
  // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])
  expect(balancedWeights([0, 0, 0, 1, 1, 2], 3)).toEqual([6 / 9, 1, 2]);
  expect(balancedWeights([0, 0], 2)).toEqual([0.5, 0]);
});

test("the pairs of 100,000 classes are not all kept", () => {
  const classes = 100_000;
  const confusion = noConfusion(classes);
  for (let label = 0; label < classes; label++) {
    const answer = label % 2 === 0 ? label : classes - 1;
    confusion[label]![answer] = (confusion[label]![answer] ?? 0) + 1;
  }
  const perClass = perClassAccuracy(confusion);
  expect(perClass.slice(0, 4)).toEqual([1, 0, 1, 0]);
  expect(balancedAccuracy(perClass)).toBe((classes / 2 + 1) / classes);
  expect(noConfusion(2)).toEqual([
    [0, 0],
    [0, 0],
  ]);
});
