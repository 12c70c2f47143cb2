import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cosineDecay,
  cyclical,
  inverseMomentum,
  momentumBeside,
  oneCycle,
  type Schedule,
  snapCycles,
  triangular,
  triangular2,
  warmup,
} from "../index.ts";

const bounds = { base: 1, max: 3, stepSize: 2 };
const at = (schedule: Schedule, count: number) =>
  Array.from({ length: count }, (_, t) => schedule(t));

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toEqual(wanted.map((value) => expect.closeTo(value, 12)));
}

describe("inverseMomentum", () => {
  test("beside cycles it is greatest where the rate is least", () => {
    expectClose(at(inverseMomentum(triangular(bounds)), 5), [0.9, 0.85, 0.8, 0.85, 0.9]);
    expectClose(
      at(inverseMomentum(triangular2(bounds), { low: 0.5, high: 0.9 }), 7),
      [0.9, 0.7, 0.5, 0.7, 0.9, 0.8, 0.7],
    );
  });

  test("beside one cycle each phase goes all the way, although the last rate is below the first", () => {
    const cycle = oneCycle({ max: 1, steps: 5, riseFraction: 0.6, anneal: "linear" });
    expectClose(at(inverseMomentum(cycle), 7), [0.95, 0.9, 0.85, 0.9, 0.95, 0.95, 0.95]);
  });

  test("bounds are found through what stretches, holds or precedes a cycle", () => {
    const snapped = inverseMomentum(snapCycles(triangular(bounds), 5));
    expectClose([snapped(0), snapped(2.5), snapped(5), snapped(9)], [0.9, 0.8, 0.9, 0.9]);
    const warm = inverseMomentum(warmup(triangular(bounds), { steps: 4 }));
    expectClose([warm(0), warm(4), warm(6)], [0.9, 0.9, 0.8]);
  });

  test("beside any other schedule with given bounds, also one that JSON cannot hold", () => {
    const cosine = cosineDecay({ peak: 0.2, steps: 10 });
    expectClose(at(inverseMomentum(cosine, { base: 0, max: 0.2 }), 1), [0.8]);
    const own = cyclical({ ...bounds, scale: () => 1 });
    expectClose([inverseMomentum(own, { base: 1, max: 3 })(2)], [0.8]);
    expect(() => inverseMomentum(own, { base: 1, max: 3 }).toJSON()).toThrow("scale is a function");
  });

  test("never leaves its bounds, and falls where the rate rises", () => {
    const options = fc.record({
      low: fc.double({ min: 0, max: 0.5, noNaN: true }),
      high: fc.double({ min: 0.5, max: 0.99, noNaN: true }),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 20 }), fc.nat(200), (range, stepSize, t) => {
        const rate = triangular({ base: 1e-3, max: 1e-2, stepSize });
        const momentum = inverseMomentum(rate, range);
        expect(momentum(t)).toBeGreaterThanOrEqual(range.low - 1e-12);
        expect(momentum(t)).toBeLessThanOrEqual(range.high + 1e-12);
        if (rate(t + 1) > rate(t)) expect(momentum(t + 1)).toBeLessThanOrEqual(momentum(t));
      }),
    );
  });

  test.each([
    [{ low: 0.9, high: 0.8 }, "low must not be above high; got low 0.9, high 0.8"],
    [{ high: 1 }, "high must be in [0, 1); got 1"],
    [{ low: -0.1 }, "low must be in [0, 1); got -0.1"],
    [{ base: 3, max: 3 }, "base must be below max; got base 3, max 3"],
  ])("refuses %o", (options, message) =>
    expect(() => inverseMomentum(triangular(bounds), options)).toThrow(message),
  );
  test("refuses a schedule without bounds", () => {
    expect(() => inverseMomentum(cosineDecay({ peak: 1, steps: 9 }))).toThrow(
      'inverseMomentum: "cosineDecay" has no bounds of its own; give base and max',
    );
  });
});

test("momentumBeside: cyclical schedules and one cycle, and no others", () => {
  expect(momentumBeside(triangular(bounds))!(2)).toBeCloseTo(0.8, 12);
  expect(momentumBeside(snapCycles(triangular2(bounds), 5))!(2.5)).toBeCloseTo(0.8, 12);
  expect(momentumBeside(oneCycle({ max: 1, steps: 50 }))!(0)).toBe(0.95);
  expect(momentumBeside(cosineDecay({ peak: 1, steps: 9 }))).toBeNull();
  expect(momentumBeside(cyclical({ ...bounds, scale: () => 1 }))).toBeNull();
});
