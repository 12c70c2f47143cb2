// Simulates experiments whose truth is known through the product's own `summarize`, prints the tables, and writes
// them into docs/guide/statistics.md; with --pruning those of pruned arms, into docs/guide/pruning.md. About ten minutes,
// and one; --quick takes a tenth of the experiments, and writes nothing.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createJiti } from "jiti";

const { values } = parseArgs({
  options: {
    pruning: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    experiments: { type: "string", default: "1000" },
  },
});
const experiments = Number(values.experiments) / (values.quick ? 10 : 1);
if (!Number.isInteger(experiments) || experiments < 1)
  throw new Error(`simulate: --experiments must be a positive integer; got ${values.experiments}`);

const jiti = createJiti(import.meta.url);
const plan = { experiments, onCell: (line) => process.stderr.write(`${line}\n`) };
const text = values.pruning
  ? (await jiti.import("../test/simulation/pruned.ts")).prunedTables(plan)
  : (await jiti.import("../test/simulation/tables.ts")).tables(plan);
process.stdout.write(`${text}\n`);

if (!values.quick) {
  const name = values.pruning ? "pruning" : "statistics";
  const page = new URL(`../docs/guide/${name}.md`, import.meta.url);
  const [begin, end] = [
    `<!-- simulated: npm run simulate --${values.pruning ? " --pruning" : ""} -->`,
    "<!-- end of what is simulated -->",
  ];
  const before = readFileSync(page, "utf8");
  const [first, last] = [before.indexOf(begin), before.indexOf(end)];
  if (first < 0 || last < first)
    throw new Error(`simulate: ${page.pathname} has no place for the tables`);
  const images = values.pruning
    ? ""
    : `, ${Math.round(experiments * 0.4).toLocaleString("en-US")} where they are made image by image`;
  const counted = `${experiments.toLocaleString("en-US")} experiments a cell${images}. In bold: what misses by more than two standard errors of the simulation.`;
  writeFileSync(
    page,
    `${before.slice(0, first + begin.length)}\n\n${counted}\n\n${text}\n\n${before.slice(last)}`,
  );
}
