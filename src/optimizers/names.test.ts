/** @file An optimizer is in every list that has all of them; whoever adds one is told of each that lacks it. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as browser from "../browser.ts";
import * as api from "../index.ts";
import * as optimizers from "./index.ts";
import { createOptimizer, optimizerNames, wrapperNames } from "./index.ts";

/** What a module exports: "adam", "schedule-free-sgd". */
const exportedBy = (module: object): string[] =>
  Object.values(module)
    .flatMap((value: unknown) =>
      typeof value === "function" && "optimizerName" in value ? [String(value.optimizerName)] : [],
    )
    .sort();

/** What several of them share. */
const SHARED = ["schedule-free"];

test("every name that help shows makes the optimizer of that name", () => {
  expect(optimizerNames.map((name) => createOptimizer(name).name)).toEqual(optimizerNames);
});

test.each([
  ["src/optimizers/index.ts", optimizers],
  ["src/index.ts", api],
  ["src/browser.ts", browser],
])("%s exports each of the names, and no optimizer without one", (_, module) => {
  expect(exportedBy(module)).toEqual([...optimizerNames].sort());
  expect(wrapperNames.filter((name) => !(name in module))).toEqual([]);
});

test("each file of rules/ is of a name", () => {
  const files = readdirSync(new URL("rules/", import.meta.url))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((file) => !SHARED.includes(file));
  expect(files.sort()).toEqual([...optimizerNames, ...wrapperNames].sort());
});

test("docs/optimizers.md has a row for each", () => {
  const page = readFileSync(new URL("../../docs/optimizers.md", import.meta.url), "utf8");
  const [, rules = ""] = /^## The rules$(.*?)^## /ms.exec(page) ?? [];
  const rows = [...rules.matchAll(/^\| `([a-z-]+)(?:-…)?` \|/gm)].map(([, name]) => name!);
  expect(rows.sort()).toEqual([...optimizerNames, ...wrapperNames].sort());
});
