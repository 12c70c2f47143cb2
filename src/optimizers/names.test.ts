import { expect, test } from "vitest";
import * as optimizers from "./index.ts";
import { createOptimizer, optimizerNames } from "./index.ts";

test("every name that help shows makes the optimizer of that name", () => {
  expect(optimizerNames.map((name) => createOptimizer(name).name)).toEqual(optimizerNames);
});

test("no optimizer is left out of the names", () => {
  const exported = Object.values(optimizers).flatMap((value) =>
    typeof value === "function" && "optimizerName" in value ? [value.optimizerName] : [],
  );
  expect([...exported].sort()).toEqual([...optimizerNames].sort());
});
