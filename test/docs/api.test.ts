/** @file docs/api/ is what scripts/api-docs.mjs makes of the docstrings, and leaves no export out. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as schedules from "../../src/schedules/index.ts";
import { root } from "../house/rooms.ts";

const { apiDocs } = (await import("../../scripts/api-docs.mjs" as string)) as {
  apiDocs(): Map<string, string>;
};
const pages = apiDocs();

test("the pages are current; where not: node scripts/api-docs.mjs", () => {
  const files = readdirSync(join(root, "docs", "api")).map((name) => `docs/api/${name}`);
  expect(files.sort()).toEqual([...pages.keys()].sort());
  for (const [path, text] of pages)
    expect(readFileSync(join(root, path), "utf8") === text, `${path} is out of date`).toBe(true);
});

test("every export of lrscope/schedules has a heading, its text and its declaration", () => {
  const page = pages.get("docs/api/schedules.md")!;
  for (const name of Object.keys(schedules)) expect(page).toContain(`\n## ${name}\n`);
  expect(page).toContain("Half a cosine from `peak` to `floor` over `steps` updates, then flat:");
  expect(page).toContain("function snapCycles(schedule: Schedule, steps: number): Schedule\n```");
});
