import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { triangular } from "../index.ts";

describe("triangular", () => {
  // torch.optim.lr_scheduler.CyclicLR (1.13), base_lr 0.01, max_lr 0.06, step_size_up 4.
  const torch = [0.01, 0.0225, 0.035, 0.0475, 0.06, 0.0475, 0.035, 0.0225, 0.01, 0.0225, 0.035];
  const lr = triangular({ base: 0.01, max: 0.06, stepSize: 4 });
  test.each(torch.map((want, t) => [t, want]))("update %i has rate %f", (t, want) => {
    expect(lr(t)).toBeCloseTo(want, 12);
  });

  const options = fc
    .record({
      base: fc.double({ min: 0, max: 1, noNaN: true }),
      rise: fc.double({ min: 1e-6, max: 10, noNaN: true }),
      stepSize: fc.integer({ min: 1, max: 5000 }),
    })
    .map(({ base, rise, stepSize }) => ({ base, max: base + rise, stepSize }));
  const update = fc.integer({ min: 0, max: 100_000 });

  test("stays within base and max", () => {
    fc.assert(
      fc.property(options, update, (o, t) => {
        const rate = triangular(o)(t);
        expect(rate).toBeGreaterThanOrEqual(o.base);
        expect(rate).toBeLessThanOrEqual(o.max * (1 + 1e-12));
      }),
    );
  });

  test("peaks at odd multiples of the step size, and there alone", () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 0, max: 20 }), (o, k) => {
        const peak = (2 * k + 1) * o.stepSize;
        const schedule = triangular(o);
        expect(schedule(peak)).toBeCloseTo(o.max, 9);
        expect(schedule(peak - 1)).toBeLessThan(schedule(peak));
        expect(schedule(peak + 1)).toBeLessThan(schedule(peak));
        expect(schedule(2 * k * o.stepSize)).toBeCloseTo(o.base, 9);
      }),
    );
  });

  test("repeats every two steps", () => {
    fc.assert(
      fc.property(options, update, (o, t) => {
        const schedule = triangular(o);
        expect(schedule(t + 2 * o.stepSize)).toBeCloseTo(schedule(t), 9);
      }),
    );
  });

  test.each([
    [{ base: -1, max: 1, stepSize: 4 }, "triangular: base must be a number, 0 or more; got -1"],
    [{ base: 0, max: 0, stepSize: 4 }, "triangular: max must be a positive number; got 0"],
    [{ base: 0, max: Number.NaN, stepSize: 4 }, "max must be a positive number; got NaN"],
    [{ base: 2, max: 1, stepSize: 4 }, "base must not be above max; got base 2, max 1"],
    [{ base: 0, max: 1, stepSize: 0 }, "stepSize must be a positive integer; got 0"],
    [{ base: 0, max: 1, stepSize: 1.5 }, "stepSize must be a positive integer; got 1.5"],
  ])("refuses %j", (o, message) => {
    expect(() => triangular(o)).toThrow(message);
  });
});
