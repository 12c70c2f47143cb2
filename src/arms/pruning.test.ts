import { describe, expect, test } from "vitest";
import type { Planned, Task } from "../record/index.ts";
import { checkPruning } from "./pruning.ts";
import { withinTrials } from "./trial-budget.ts";

const pruning = { method: "halving", reduction: 3, grace: 2, finalists: 2 } as const;
const study: Planned = { epochs: 9, pruning };

test.each<[Partial<Planned>, number, string]>([
  [{ prune: 3 }, 9, 'prune 3 and pruning "halving" are two ways'],
  [{ sensitivity: 5 }, 9, "do not go together"],
  [{ evalEvery: 4 }, 9, "grace must be at least evalEvery"],
  [{ epochs: 2 }, 9, "grace must be below epochs"],
  [{}, 2, "would prune nothing: there are 2 arms"],
])("refuses %o", (more, arms, message) => {
  expect(() => checkPruning({ ...study, ...more }, arms)).toThrow(message);
});

test("takes what can prune, and what does not prune", () => {
  expect(() => checkPruning(study, 3)).not.toThrow();
  expect(() => checkPruning({ epochs: 1 }, 1)).not.toThrow();
});

describe("a budget of trials", () => {
  const tasks = [0, 1, 2].flatMap((seed) =>
    ["a", "b", "c", "d"].map((arm) => ({ arm, seed }) as Task<"trial">),
  );
  const within = (of: Pick<Planned, "maxTrials" | "pruning">) =>
    withinTrials(tasks, of).map(({ arm, seed }) => `${arm}${seed}`);

  test("is spent on whole seeds", () => {
    expect(within({})).toHaveLength(12);
    expect(within({ maxTrials: 12 })).toHaveLength(12);
    expect(within({ maxTrials: 11 })).toEqual(["a0", "b0", "c0", "d0", "a1", "b1", "c1", "d1"]);
    expect(within({ maxTrials: 3 })).toEqual(["a0", "b0", "c0"]);
  });

  test("on whole arms where they are judged by all their seeds", () => {
    expect(within({ maxTrials: 8, pruning })).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
    expect(within({ maxTrials: 2, pruning })).toEqual(["a0", "a1"]);
  });
});
