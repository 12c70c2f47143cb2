/**
 * @file The article's range test beside the candidates' own: what a candidate's loss is before it learns, and how the
 * loss falls while the rate rises. `npx jiti bench/identification/range-test.ts OUT [SOURCE] [--only NAME,...]`
 * tests what has not been tested, SOURCE being the photos of at least 224 pixels, and prints the table; without
 * SOURCE it prints what there is.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { mean, standardDeviation } from "../../src/analysis/statistics/statistics.ts";
import { readRun } from "../../src/store/index.ts";
import { CANDIDATES, type Candidate, CENTRE, modelFile } from "./candidates.ts";
import { furtherSeed } from "./further-seed.ts";

const bin = fileURLToPath(new URL("../../bin/lrscope.js", import.meta.url));

/** Weight of a batch in the article's smoothed loss, which begins with the first batch's. */
const WEIGHT = 0.05;
/** Updates at rates that change nothing, of each of so many seeds. */
const UNTRAINED = { updates: 12, seeds: 12, from: 1e-8, to: 1e-7 };
/** The second of the article's two epochs: 54 updates from 1e-4. */
const RAMP = { updates: 54, seeds: 1, from: 1e-4, to: 0.08799 };
/** Updates that are taken together. */
const TOGETHER = 9;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" } },
});
const [out, source] = positionals;
if (out === undefined) throw new Error("range-test.ts OUT [SOURCE] [--only NAME,...]");

/** What differs in the cycle or in the split alone is tested as the centre is. */
const tested = CANDIDATES.filter(
  (candidate) =>
    candidate === CENTRE ||
    candidate.augment !== CENTRE.augment ||
    modelFile(candidate) !== modelFile(CENTRE),
);

/** Losses of the batches in turn, seed by seed. */
type Losses = readonly (readonly number[])[];

function losses(name: string, part: string): Losses {
  const folder = join(out!, name, part);
  if (!existsSync(join(folder, "range-test.json"))) return [];
  return readRun(folder).rangeTests.flatMap(({ runs }) =>
    runs.map(({ points }) => points.map(({ loss }) => loss ?? Number.POSITIVE_INFINITY)),
  );
}

function run(candidate: Candidate, part: string, ramp: typeof RAMP): void {
  if (losses(candidate.name, part).length > 0) return;
  mkdirSync(join(out!, candidate.name), { recursive: true });
  const model = join(out!, candidate.name, "network.ts");
  writeFileSync(model, modelFile(candidate));
  const argv = [
    ...["find", source!, "--model", model, "--size", String(candidate.size), "--batch", "64"],
    ...["--augment", candidate.augment, "--updates", String(ramp.updates)],
    ...["--seeds", String(ramp.seeds), "--from", String(ramp.from), "--to", String(ramp.to)],
    ...["--out", join(out!, candidate.name, part)],
  ];
  const { status } = spawnSync(process.execPath, [bin, ...argv], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 130);
}

if (source !== undefined) {
  const only = values.only?.split(",");
  for (const candidate of tested)
    if (only?.includes(candidate.name) ?? true) {
      run(candidate, "untrained", UNTRAINED);
      run(candidate, "ramp", RAMP);
    }
}

const curve = z
  .strictObject({ rates: z.array(z.number()), smoothedLosses: z.array(z.number()) })
  .parse(JSON.parse(readFileSync(new URL("published-range-test.json", import.meta.url), "utf8")));
/** The smoothing taken back: the rounding of the logged losses leaves them within 2e-4. */
const batches = curve.smoothedLosses.map((value, update, all) =>
  update === 0 ? value : (value - (1 - WEIGHT) * all[update - 1]!) / WEIGHT,
);
const atRates = (from: number, to: number) =>
  batches.filter((_, update) => curve.rates[update]! > from && curve.rates[update]! < to);

const inBins = (all: readonly number[]) =>
  Array.from({ length: RAMP.updates / TOGETHER }, (_, bin) =>
    mean(all.slice(bin * TOGETHER, (bin + 1) * TOGETHER)).toFixed(3),
  );
const row = (...cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const beside = (value: number, seeds: readonly number[]) => {
  const interval = furtherSeed(seeds);
  if (interval === undefined) return "";
  const [least, most] = interval;
  return value < least ? "lower than a seed" : value > most ? "higher than a seed" : "within";
};

const learned = atRates(0.99 * RAMP.from, 1);
const before = atRates(0, 1e-5);
const spreadOf = (all: readonly number[]) => standardDeviation(all)!;
console.log(
  row(
    ...["candidate", "untrained loss", "published", "between batches", "published"],
    ...inBins(learned).map((_, bin) => curve.rates[RAMP.updates + bin * TOGETHER]!.toPrecision(1)),
  ),
);
console.log(row(...Array.from({ length: 5 + inBins(learned).length }, () => "---")));
console.log(
  row(
    ...["published", mean(before).toFixed(3), "", spreadOf(before).toFixed(3), ""],
    ...inBins(learned),
  ),
);
for (const { name } of tested) {
  const seeds = losses(name, "untrained");
  const [ramp] = losses(name, "ramp");
  if (seeds.length === 0 && ramp === undefined) continue;
  const means = seeds.map((seed) => mean(seed));
  const spreads = seeds.map((seed) => Math.log(spreadOf(seed)));
  const untrained = [
    ...[mean(means).toFixed(3), beside(mean(before), means)],
    ...[Math.exp(mean(spreads)).toFixed(3), beside(Math.log(spreadOf(before)), spreads)],
  ];
  console.log(
    row(
      name,
      ...(seeds.length === 0 ? ["", "", "", ""] : untrained),
      ...(ramp === undefined ? [] : inBins(ramp)),
    ),
  );
}
