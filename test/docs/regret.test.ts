/** @file The pages on what range-test rules are worth say what the lines of the study make. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMeasured } from "../../bench/regret/surface.ts";
import { partsOf, targetsTable } from "../../bench/regret/tables.ts";

const root = join(import.meta.dirname, "../..");

test("regrets of the default rule, in the guide and on the results' page", () => {
  const measured = readMeasured(join(root, "bench/results/regret"));
  expect(measured.map(({ task }) => task.name)).toHaveLength(14);
  const table = targetsTable(partsOf(measured));
  for (const page of ["docs/guide/finding-a-learning-rate.md", "docs/results/regret/README.md"])
    expect(readFileSync(join(root, page), "utf8"), page).toContain(table);
});
