import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { epochMetrics } from "../trial.ts";
import { isEpochMetrics, metricsLine } from "./metrics-line.ts";

const whole: Readonly<Record<string, unknown>> = {
  ...{ epoch: 3, update: 39, lr: 1e-3, trainLoss: 0.7, trainAccuracy: 0.5, validationLoss: null },
  ...{ validationAccuracy: 0.25, validationBalancedAccuracy: 0.2, validationPerClass: [1, null] },
  ...{ averagedValidationLoss: 1, averagedValidationAccuracy: null, seconds: 1.5, diverged: false },
  ...{ ensembleValidationAccuracy: 0.5, ensembleSnapshots: 2 },
};

describe("a line of metrics.jsonl", () => {
  test("of every field that the schema has is recognised", () => {
    expect(Object.keys(whole).sort()).toEqual(Object.keys(epochMetrics.shape).sort());
    expect(isEpochMetrics(whole)).toBe(true);
  });

  const oddities = [
    ...[undefined, null, true, "1", {}, [], [1], ["1"], [null], Number.NaN, -0, 1.5, 2 ** 53],
    ...[Number.POSITIVE_INFINITY, -1, 1e308],
  ];
  test.each([...Object.keys(whole), "other", "__proto__", "constructor"])(
    "is as the schema has it, whatever stands in %s",
    (name) => {
      for (const odd of oddities) {
        const value = Object.fromEntries([...Object.entries(whole), [name, odd]]);
        // As it comes from a file: a field that is undefined is not there.
        if (odd === undefined) delete value[name];
        const checked = epochMetrics.safeParse(value);
        expect(metricsLine(value)).toEqual(checked.success ? checked.data : null);
        if (isEpochMetrics(value)) expect(checked.data).toEqual(value);
      }
    },
  );

  test("and for any JSON at all", () => {
    const field = fc.oneof(fc.double(), fc.integer(), fc.jsonValue());
    const some = fc
      .subarray(Object.keys(whole))
      .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, field]))));
    const any = fc.oneof(
      fc.jsonValue(),
      some,
      some.map((odd) => ({ ...whole, ...odd })),
    );
    fc.assert(
      fc.property(any, (value) => {
        const checked = epochMetrics.safeParse(value);
        expect(metricsLine(value)).toEqual(checked.success ? checked.data : null);
        if (isEpochMetrics(value)) expect(checked.data).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });
});
