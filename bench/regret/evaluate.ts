/**
 * @file What rules are worth: points of accuracy lost at the rate that each reads off a range test, against
 * the best rate of the grid.
 *
 * `npx jiti bench/regret/evaluate.ts FOLDER [--into PAGE]... [--figure FILE]` prints the tables; --into writes
 * those into a page that it has marks for: `<!-- regret: NAME -->` up to `<!-- end -->`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { regretFigure } from "./figure.ts";
import { readMeasured } from "./surface.ts";
import { factorsTable, partsOf, rulesTable, targetsTable, tasksTable } from "./tables.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { into: { type: "string", multiple: true }, figure: { type: "string" } },
});
const [folder] = positionals;
if (!folder) throw new Error("bench: give the folder of the lines");
const measured = readMeasured(folder);
const parts = partsOf(measured);
const tables = new Map([
  ["aims", targetsTable(parts)],
  ["constant, held out", rulesTable(parts.heldOut, 0)],
  ["constant, design", rulesTable(parts.design, 0)],
  ["peak, held out", rulesTable(parts.heldOut, 1)],
  ["peak, design", rulesTable(parts.design, 1)],
  ["factors", factorsTable(parts.design)],
  ["tasks", tasksTable(measured)],
]);
for (const [name, table] of tables) console.log(`${name}\n\n${table}\n`);
for (const page of values.into ?? []) {
  const text = readFileSync(page, "utf8").replaceAll(
    /(<!-- regret: ([^>]+) -->)[\s\S]*?(<!-- end -->)/g,
    (_, mark: string, name: string, end: string) => {
      const table = tables.get(name);
      if (!table) throw new Error(`bench: ${page} asks for a table "${name}", which is none`);
      return `${mark}\n\n${table}\n\n${end}`;
    },
  );
  writeFileSync(page, text);
}
if (values.figure) writeFileSync(values.figure, regretFigure(measured));
