/** @file docs/tour.md: each file that it passes is there, and has the names that it quotes of it. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./rooms.ts";

interface Stop {
  readonly path: string;
  readonly names: readonly string[];
}

/** Rows of the page's tables that begin with a file, numbered or not: "| 1 | [a.ts](../a.ts) | `b` | ... |". */
const stopsOf = (page: string): Stop[] =>
  [...page.matchAll(/^\| (?:\d+ \| )?\[([^\]]+)\]\(\.\.\/([^)]+)\) \| ([^|]+) \|/gm)].map(
    ([, shown, path, names]) => {
      expect(shown).toBe(path);
      return { path: path!, names: [...names!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!) };
    },
  );

const missing = ({ path, names }: Stop): string[] => {
  if (!existsSync(join(root, path))) return [`${path} does not exist`];
  const text = readFileSync(join(root, path), "utf8");
  return names.filter((name) => !text.includes(name)).map((name) => `${path} has no ${name}`);
};

test("files and names of the tour are there", () => {
  const page = readFileSync(join(root, "docs", "tour.md"), "utf8");
  const stops = stopsOf(page);
  expect(page.match(/^\| \d+ \|/gm)).toHaveLength(12);
  expect(stops.length).toBeGreaterThan(12);
  expect(stops.every(({ names }) => names.length > 0)).toBe(true);
  expect(stops.flatMap(missing)).toEqual([]);
});

test("a file that is gone and a name that is not in it are found", () => {
  const page =
    "| 1 | [src/index.ts](../src/index.ts) | `noSuchName` | x |\n| [src/no.ts](../src/no.ts) | `x` |";
  expect(stopsOf(page).flatMap(missing)).toEqual([
    "src/index.ts has no noSuchName",
    "src/no.ts does not exist",
  ]);
});
