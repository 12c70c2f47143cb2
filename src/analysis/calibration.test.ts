/** @file Calibration and the interval of a proportion, against numbers worked out by hand. */

import { describe, expect, test } from "vitest";
import { calibrationOf } from "./calibration.ts";
import { proportionInterval } from "./statistics/proportion.ts";

describe("expected calibration error", () => {
  test("of four answers in two bins", () => {
    const answers = [
      { confidence: 0.55, right: true },
      { confidence: 0.65, right: false },
      { confidence: 0.9, right: true },
      { confidence: 1, right: true },
    ];
    // Five bins: (0.4, 0.6], (0.6, 0.8], (0.8, 1]: gaps 0.45, 0.65 and |1 - 0.95|.
    const { error, greatest, bins } = calibrationOf(answers, 5);
    expect(error).toBeCloseTo((0.45 + 0.65 + 2 * 0.05) / 4, 12);
    expect(greatest).toBeCloseTo(0.65, 12);
    expect(bins.map(({ images }) => images)).toEqual([0, 0, 1, 1, 2]);
    expect(bins[4]).toMatchObject({ low: 0.8, high: 1, accuracy: 1 });
    expect(bins[4]!.confidence).toBeCloseTo(0.95, 12);
    expect(bins[0]).toMatchObject({ confidence: null, accuracy: null });
  });

  test("a bin has its upper end, and the first its lower end too", () => {
    const edges = [0, 0.2, 0.4, 0.6, 0.8, 1].map((confidence) => ({ confidence, right: true }));
    expect(calibrationOf(edges, 5).bins.map(({ images }) => images)).toEqual([2, 1, 1, 1, 1]);
  });

  test("as sure as right is 0; sure and wrong is 1; of nothing 0", () => {
    const half = [true, false].map((right) => ({ confidence: 0.5, right }));
    expect(calibrationOf(half).error).toBe(0);
    const wrong = { confidence: 1, right: false };
    expect(calibrationOf([wrong, wrong])).toMatchObject({ error: 1, greatest: 1 });
    expect(calibrationOf([])).toMatchObject({ error: 0, greatest: 0 });
    expect(calibrationOf([]).bins).toHaveLength(15);
  });
});

describe("Wilson's interval", () => {
  // R 4: prop.test(x, n, correct = FALSE)$conf.int
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    [29, 29, 0.883, 1],
  ])("%i of %i", (right, of, low, high) => {
    const found = proportionInterval(right, of);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });
});
