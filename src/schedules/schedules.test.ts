import { describe, expect, test } from "vitest";
import { constant, cosineDecay, formatRate, linearRamp, oneCycle, sequence } from "./index.ts";

const updates = (count: number) => Array.from({ length: count }, (_, t) => t);

describe("constant", () => {
  test("is the same throughout", () => {
    expect(updates(5).map(constant(0.3))).toEqual([0.3, 0.3, 0.3, 0.3, 0.3]);
  });
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (rate) => {
    expect(() => constant(rate)).toThrow(`constant: rate must be a positive number; got ${rate}`);
  });
});

describe("cosineDecay", () => {
  const lr = cosineDecay({ peak: 0.1, floor: 0.01, steps: 100 });
  test.each([
    [0, 0.1],
    [25, 0.01 + 0.045 * (1 + Math.SQRT1_2)],
    [50, 0.055],
    [100, 0.01],
    [1000, 0.01],
  ])("update %i has rate %f", (t, want) => {
    expect(lr(t)).toBeCloseTo(want, 12);
  });
  test("never rises", () => {
    const rates = updates(200).map(lr);
    expect(rates.slice(1).every((rate, i) => rate <= rates[i]!)).toBe(true);
  });
  test("refuses no steps, and a floor above the peak", () => {
    expect(() => cosineDecay({ peak: 0.1, steps: 0 })).toThrow(
      "steps must be a positive integer; got 0",
    );
    expect(() => cosineDecay({ peak: 0.1, floor: 0.2, steps: 10 })).toThrow(
      "floor must not be above peak; got floor 0.2, peak 0.1",
    );
  });
});

describe("linearRamp", () => {
  const lr = linearRamp({ from: 0, to: 0.1, steps: 10 });
  test.each([
    [0, 0],
    [1, 0.01],
    [5, 0.05],
    [10, 0.1],
    [50, 0.1],
  ])("update %i has rate %f", (t, want) => {
    expect(lr(t)).toBeCloseTo(want, 12);
  });
  test("refuses a negative rate", () => {
    expect(() => linearRamp({ from: -0.1, to: 1, steps: 3 })).toThrow(
      "linearRamp: from must be a number, 0 or more; got -0.1",
    );
  });
});

describe("sequence", () => {
  const lr = sequence(
    [10, linearRamp({ from: 0, to: 0.1, steps: 10 })],
    [90, cosineDecay({ peak: 0.1, steps: 90 })],
  );
  test("joins without a drop, and stays flat after its end", () => {
    expect(lr(9)).toBeCloseTo(0.09, 12);
    expect(lr(10)).toBeCloseTo(0.1, 12);
    expect(lr(55)).toBeCloseTo(0.05, 12);
    expect(lr(100)).toBeCloseTo(0, 12);
    expect(lr(500)).toBeCloseTo(0, 12);
  });
  test("refuses no part, and a part of no length", () => {
    expect(() => sequence()).toThrow("needs at least one");
    expect(() => sequence([0, constant(1)])).toThrow("steps must be a positive integer; got 0");
  });
});

describe("oneCycle", () => {
  // torch.optim.lr_scheduler.OneCycleLR (1.13): max_lr 0.1, total_steps 20.
  test.each([
    [0, 0.004],
    [1, 0.013167184270002533],
    [4, 0.09083281572999748],
    [5, 0.1],
    [6, 0.09874640062350874],
    [12, 0.0500002],
    [18, 0.0012539993764912555],
    [19, 4e-7],
    [40, 4e-7],
  ])("default: update %i has rate %f", (t, want) => {
    expect(oneCycle({ max: 0.1, steps: 20 })(t)).toBeCloseTo(want, 12);
  });
  // max_lr 0.3, total_steps 37, pct_start 0.25, div_factor 10, final_div_factor 100.
  test.each([
    [0, 0.03],
    [3, 0.10891897324474528],
    [8, 0.2993887095473664],
    [9, 0.2994601636580976],
    [20, 0.18585304992476123],
    [36, 0.0003],
  ])("other divisors: update %i has rate %f", (t, want) => {
    const lr = oneCycle({
      max: 0.3,
      steps: 37,
      riseFraction: 0.25,
      startDivisor: 10,
      endDivisor: 100,
    });
    expect(lr(t)).toBeCloseTo(want, 12);
  });
  test("refuses a rise that is too short, and a fraction outside (0, 1)", () => {
    expect(() => oneCycle({ max: 1, steps: 3 })).toThrow("rise must take more than one update");
    expect(() => oneCycle({ max: 1, steps: 30, riseFraction: 1 })).toThrow(
      "riseFraction must be between 0 and 1; got 1",
    );
  });
});

test.each([
  [0, "0"],
  [1, "1"],
  [0.01, "0.01"],
  [0.012345, "0.0123"],
  [1e-3, "1e-3"],
  [2.054e-4, "2.05e-4"],
  [1500, "1.5e3"],
])("formatRate(%d) is %s", (value, want) => {
  expect(formatRate(value)).toBe(want);
});
