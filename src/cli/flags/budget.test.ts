import { describe, expect, test } from "vitest";
import { isFitted } from "../../arms/arm-schedules.ts";
import { parseArms } from "../../arms/arms.ts";
import { endsThatAreOn } from "../../arms/check-ends.ts";
import { checkScheduleLength, epochsOf } from "./budget.ts";
import { timeSpan } from "./values.ts";

test.each([
  ["90s", 90],
  ["20m", 1200],
  ["1.5h", 5400],
])("%s is %i seconds", (text, seconds) => {
  expect(timeSpan(text, "compare: --time")).toBe(seconds);
});

test.each(["20", "m", "-5m", "0s", "1d"])("%s is no time", (text) => {
  expect(() => timeSpan(text, "compare: --time")).toThrow(
    `compare: --time must be a number of seconds, minutes or hours above 0; got "${text}". For example: --time 20m`,
  );
});

test("only what is on is part of the budget", () => {
  expect(endsThatAreOn({ time: undefined, evalEvery: 1 })).toEqual({});
  expect(endsThatAreOn({ time: 60, evalEvery: 2, prune: 5 })).toEqual({
    time: 60,
    evalEvery: 2,
    prune: 5,
  });
});

describe("epochs beside a time or a target", () => {
  const given = new Set(["epochs"]);
  test("are as good as none unless they are given", () => {
    expect(epochsOf({ epochs: 10 }, new Set())).toBe(10);
    expect(epochsOf({ epochs: 10, time: 60 }, new Set())).toBe(1000);
    expect(epochsOf({ epochs: 10, targetAccuracy: 0.8 }, new Set())).toBe(1000);
    expect(epochsOf({ epochs: 10, time: 60 }, given)).toBe(10);
  });

  test("must be given where a schedule is as long as the run", () => {
    const check = (arms: string[], budget: object, names = new Set<string>()) =>
      checkScheduleLength("compare", parseArms(arms), { budget, given: names, isFitted });
    expect(() => check(["adam", "sgd+cosine"], { time: 60 })).toThrow(
      "compare: --epochs must be given beside --time, as the schedule of sgd+cosine",
    );
    expect(() => check(["sgd+cosine"], { time: 60 }, given)).not.toThrow();
    expect(() => check(["sgd+cosine"], {})).not.toThrow();
    expect(() => check(["adam", "sgd+clr"], { targetAccuracy: 0.8 })).not.toThrow();
  });
});
