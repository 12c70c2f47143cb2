/** @file Intervals of few seeds: within 0 and 1, and never of no width. */

import { expect, test } from "vitest";
import { accuracyInterval } from "./spread.ts";
import { tInterval } from "./student-t.ts";

test("the interval of an accuracy is Student's in the middle, and stays within 0 and 1 at the ends", () => {
  const [plain, bent] = [tInterval([0.49, 0.5, 0.52])!, accuracyInterval([0.49, 0.5, 0.52])!];
  expect(bent.low).toBeCloseTo(plain.low, 3);
  expect(bent.high).toBeCloseTo(plain.high, 3);
  // logit(0.84) = 1.65823, standard error 0.0568624 / (0.84 * 0.16) = 0.423083, t(0.975, 2) = 4.302653.
  const wide = accuracyInterval([0.95, 0.81, 0.76])!;
  expect(wide.low).toBeCloseTo(1 / (1 + Math.exp(-(1.658228 - 4.302653 * 0.423083))), 4);
  expect(wide.high).toBeCloseTo(1 / (1 + Math.exp(-(1.658228 + 4.302653 * 0.423083))), 4);
  expect(tInterval([0.95, 0.81, 0.76])!.high).toBeGreaterThan(1);
  const perfect = accuracyInterval([1, 1, 1], 50)!;
  expect(perfect.high).toBe(1);
  expect(perfect.low).toBeLessThan(1);
  expect(accuracyInterval([0.5, 0.5])).toBeNull();
});
test("equal counts of few images are no certainty", () => {
  // Steps of 1/60: deviation of the rounding (1/60) / sqrt(12).
  const half = 4.302653 / 60 / Math.sqrt(12) / Math.sqrt(3);
  const { low, high } = tInterval([0.5, 0.5, 0.5], { rounding: 1 / (12 * 60 ** 2) })!;
  expect([low, high]).toEqual([expect.closeTo(0.5 - half, 6), expect.closeTo(0.5 + half, 6)]);
});
