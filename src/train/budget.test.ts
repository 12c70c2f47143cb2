import { describe, expect, test } from "vitest";
import { checkEnds } from "../arms/check-ends.ts";
import type { EpochMetrics } from "../record/index.ts";
import { endOf, isEvaluated } from "./budget.ts";

/** Ten seconds an epoch; null: not validated. */
const epochs = (...accuracies: (number | null)[]): EpochMetrics[] =>
  accuracies.map((validationAccuracy, i) => ({
    epoch: i + 1,
    update: 7 * (i + 1),
    lr: 0.1,
    trainLoss: 1,
    trainAccuracy: 0.5,
    validationLoss: 1,
    validationAccuracy,
    seconds: 10,
  }));

describe("a trial is over", () => {
  test("after its epochs", () => {
    expect(endOf({ epochs: 3 }, epochs(0.1, 0.2))).toBeNull();
    expect(endOf({ epochs: 3 }, epochs(0.1, 0.2, 0.3))).toBe("epochs");
  });

  test("at the end of the epoch in which its time is used up", () => {
    expect(endOf({ epochs: 9, time: 15 }, epochs(0.1))).toBeNull();
    expect(endOf({ epochs: 9, time: 15 }, epochs(0.1, 0.2))).toBe("time");
  });

  test("where the target is reached, in its last epoch too", () => {
    const budget = { epochs: 3, targetAccuracy: 0.3 };
    expect(endOf(budget, epochs(0.1, 0.2))).toBeNull();
    expect(endOf(budget, epochs(0.1, 0.3))).toBe("target accuracy");
    expect(endOf(budget, epochs(0.1, 0.2, 0.3))).toBe("target accuracy");
  });

  test("after so many validations that were no better", () => {
    const budget = { epochs: 9, earlyStopping: 2 };
    expect(endOf(budget, epochs(0.3, 0.1, 0.4, 0.4))).toBeNull();
    expect(endOf(budget, epochs(0.3, 0.1, 0.4, 0.4, 0.2))).toBe("early stopping");
    // Epochs without a validation do not count.
    expect(endOf(budget, epochs(0.3, null, 0.2, null))).toBeNull();
  });

  test("where it is below the median of the others at the same epoch", () => {
    const budget = { epochs: 9, prune: 2 };
    const others = [epochs(0.1, 0.5, 0.9), epochs(0.4, 0.3, 0.3), epochs(0.9)];
    // By epoch 2 the others had 0.5 and 0.4.
    expect(endOf(budget, epochs(0.1, 0.44), others)).toBe("pruned");
    expect(endOf(budget, epochs(0.1, 0.45), others)).toBeNull();
    // Warm-up, and too few to compare with.
    expect(endOf(budget, epochs(0.1), others)).toBeNull();
    expect(endOf(budget, epochs(0.1, 0.1), others.slice(0, 1))).toBeNull();
    expect(endOf(budget, epochs(0.1, 0.1, 0.1, 0.1), others)).toBeNull();
  });
});

test("validation is due after every so many epochs, the last, and when time is up", () => {
  const budget = { epochs: 8, evalEvery: 3 };
  const due = (done: number, seconds = 10, time?: number) =>
    isEvaluated(
      { ...budget, ...(time === undefined ? {} : { time }) },
      epochs(...new Array<null>(done).fill(null)),
      seconds,
    );
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((done) => due(done))).toEqual(
    [3, 6, 8].reduce(
      (list, epoch) => list.with(epoch - 1, true),
      new Array<boolean>(8).fill(false),
    ),
  );
  expect(due(0, 10, 10)).toBe(true);
});

test.each([
  [{ time: 0 }, "time must be a positive number; got 0"],
  [{ targetAccuracy: 80 }, "targetAccuracy must be above 0 and at most 1; got 80"],
  [{ evalEvery: 0 }, "evalEvery must be a positive integer; got 0"],
  [{ earlyStopping: 1.5 }, "earlyStopping must be a positive integer; got 1.5"],
  [{ prune: -1 }, "prune must be a positive integer; got -1"],
])("refuses %o", (options, message) => {
  expect(() => checkEnds("fit", options)).toThrow(message);
});
