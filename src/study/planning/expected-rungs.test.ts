import { describe, expect, test } from "vitest";
import { armsAtRungs, partTrained } from "./expected-rungs.ts";

const pruning = { method: "halving", reduction: 3, grace: 3, finalists: 2 } as const;

describe("arms at rungs", () => {
  test("nine arms: three go on, two to the end", () => {
    const rungs = armsAtRungs({ epochs: 27, pruning }, 9);
    expect(rungs).toEqual([
      { epoch: 3, arms: 9 },
      { epoch: 9, arms: 3 },
      { epoch: 27, arms: 2 },
    ]);
    // 9 x 3 + 3 x 6 + 2 x 18 of 9 x 27.
    expect(partTrained(rungs, 27)).toBeCloseTo(81 / 243, 12);
  });
  test("the median rule may let all go on", () => {
    const rungs = armsAtRungs(
      { epochs: 4, pruning: { ...pruning, method: "median", grace: 2 } },
      5,
    );
    expect(rungs).toEqual([
      { epoch: 2, arms: 5 },
      { epoch: 4, arms: 5 },
    ]);
    expect(partTrained(rungs, 4)).toBe(1);
  });
  test("without pruning there are none, and all is trained", () => {
    expect(armsAtRungs({ epochs: 9 }, 3)).toEqual([]);
    expect(partTrained([], 9)).toBe(1);
  });
});
