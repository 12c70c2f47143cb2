import { describe, expect, test } from "vitest";
import { type PlateauState, reduceOnPlateau, scheduleFromJSON } from "../index.ts";

function run(options: Parameters<typeof reduceOnPlateau>[0], metrics: readonly number[]): number[] {
  const plateau = reduceOnPlateau(options);
  let state = plateau.initial;
  return metrics.map((metric) => {
    const [next, rate] = plateau.step(state, metric);
    state = next;
    return rate;
  });
}

// Numbers against torch and optax: test/parity/schedules.test.ts.
describe("reduceOnPlateau, by hand", () => {
  test("bears `patience` metrics, reduces at the next", () =>
    expect(run({ rate: 8, factor: 0.5, patience: 2 }, [5, 5, 5, 5, 5, 5, 5, 4, 4])).toEqual([
      8, 8, 8, 4, 4, 4, 2, 2, 2,
    ]));
  test("accuracy: greater is better", () =>
    expect(run({ rate: 8, factor: 0.5, patience: 0, mode: "max" }, [0.1, 0.2, 0.2, 0.3])).toEqual([
      8, 8, 4, 4,
    ]));
  test("does not count during the cooldown", () =>
    expect(run({ rate: 8, factor: 0.5, patience: 0, cooldown: 2 }, [5, 5, 5, 5, 5, 5])).toEqual([
      8, 4, 4, 4, 2, 2,
    ]));
  test("ends at the floor", () =>
    expect(run({ rate: 8, factor: 0.5, patience: 0, floor: 3 }, [5, 5, 5, 5])).toEqual([
      8, 4, 3, 3,
    ]));
  test("NaN is no improvement, first or later", () =>
    expect(run({ rate: 8, factor: 0.5, patience: 1 }, [Number.NaN, 5, Number.NaN, 6])).toEqual([
      8, 8, 8, 4,
    ]));
});

describe("reduceOnPlateau, metrics of any sign and size", () => {
  const { POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: less } = Number;
  const halving = { rate: 8, factor: 0.5, patience: 1 } as const;
  const flat = (metric: number, mode: "min" | "max") =>
    run(
      { ...halving, mode },
      Array.from({ length: 6 }, () => metric),
    );

  test.each([1, -1, -1e-30, 0, 3e300, -3e300])(
    "flat at %f is reduced, whatever is better",
    (at) => {
      expect(flat(at, "min")).toEqual([8, 8, 4, 4, 2, 2]);
      expect(flat(at, "max")).toEqual([8, 8, 4, 4, 2, 2]);
    },
  );
  // -100 * (1 - 1e-2) = -99 is no better; by a hundredth of its size better is -101, exclusively.
  test("a relative threshold is of the size of the best", () => {
    const relative = { ...halving, patience: 0, threshold: 1e-2 };
    expect(run(relative, [-100, -100.9, -101.1])).toEqual([8, 4, 4]);
    expect(run({ ...relative, mode: "max" }, [-100, -99.1, -98.9])).toEqual([8, 4, 4]);
  });
  test("rates mirror: a metric and its opposite in the opposite mode", () => {
    const metrics = [3, -2, -2, -5, -5.0001, 0, inf, -6, -6, -6, 1e-9, less, less, -7, Number.NaN];
    const opposite = metrics.map((metric) => -metric);
    expect(run({ ...halving, mode: "min" }, metrics)).toEqual(
      run({ ...halving, mode: "max" }, opposite),
    );
  });
  test("infinitely bad is no improvement, infinitely good is one, once", () => {
    expect(run(halving, [inf, inf, inf, 1])).toEqual([8, 4, 4, 4]);
    expect(run(halving, [5, less, less, -9, -9])).toEqual([8, 8, 8, 4, 4]);
  });
  test("an infinite metric survives JSON in the state", () => {
    const plateau = reduceOnPlateau(halving);
    const [after] = plateau.step(plateau.initial, less);
    const read: PlateauState = JSON.parse(JSON.stringify(after));
    expect(plateau.step(read, -1e300)).toEqual(plateau.step(after, -1e300));
    expect(plateau.step(read, -1e300)[0].bad).toBe(1);
  });
});

test("a step leaves the state that it was given as it was", () => {
  const plateau = reduceOnPlateau({ rate: 1, patience: 0 });
  const frozen: PlateauState = Object.freeze({ ...plateau.initial, best: 1 });
  expect(plateau.step(frozen, 2)).toEqual([{ rate: 0.1, best: 1, bad: 0, cooldown: 0 }, 0.1]);
  expect(plateau.step(frozen, 2)).toEqual(plateau.step(frozen, 2));
});

test("its options survive JSON, and are no schedule's", () => {
  const text = JSON.stringify(reduceOnPlateau({ rate: 0.1, patience: 3, mode: "max" }));
  expect(JSON.stringify(reduceOnPlateau(JSON.parse(text)))).toBe(text);
  expect(() => scheduleFromJSON(JSON.parse(text))).toThrow("call reduceOnPlateau");
});

test.each([
  [{ rate: 0 }, "rate must be a positive number; got 0"],
  [{ rate: 1, factor: 1 }, "factor must be between 0 and 1; got 1"],
  [{ rate: 1, patience: -1 }, "patience must be an integer, 0 or more; got -1"],
  [{ rate: 1, mode: "least" as never }, 'mode must be "min" or "max"; got "least"'],
  [{ rate: 1, cooldown: 0.5 }, "cooldown must be an integer"],
  [{ rate: 1, floor: -1 }, "floor must be a number, 0 or more"],
])("refuses %j", (options, message) => {
  expect(() => reduceOnPlateau(options)).toThrow(message);
});
