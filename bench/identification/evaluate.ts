/**
 * @file What the candidates' runs say: a table of their distances to the published curves, nearest first.
 * `npx jiti bench/identification/evaluate.ts OUT`
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readRun } from "../../src/store/index.ts";
import { CANDIDATES, CENTRE, differsInCycleAlone } from "./candidates.ts";
import { amongThemselves, CURVES, distance, published, type RunCurves } from "./distance.ts";

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error("evaluate.ts OUT");

const ARMS = Object.keys(published);
const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const text = (value: number | null) => (value === null ? "" : value.toFixed(1));

/** Root mean square over the four curves; null where the arm has not been trained. */
function armDistance(arm: string, runs: readonly RunCurves[]): number | null {
  const distances = runs.flatMap((run) => {
    const each = CURVES.flatMap((curve) => distance(arm, curve, run) ?? []);
    return each.length === 0 ? [] : [Math.sqrt(mean(each.map((value) => value * value)))];
  });
  return distances.length === 0 ? null : mean(distances);
}

const trialsOf = (name: string) => {
  const folder = join(out, name);
  return existsSync(join(folder, "experiment.json")) ? readRun(folder).trials : [];
};

const rows = CANDIDATES.flatMap((candidate) => {
  const { name } = candidate;
  const own = trialsOf(name);
  if (own.length === 0) return [];
  const shared = differsInCycleAlone(candidate)
    ? trialsOf(CENTRE.name).filter(({ trial }) => !trial.arm.startsWith("sgd+clr"))
    : [];
  const trials = [...own, ...shared];
  const byArm = ARMS.map((arm) =>
    armDistance(
      arm,
      trials
        .filter(({ trial }) => trial.arm.replace(/[(@].*$/, "") === arm)
        .map(({ metrics }) => ({
          trainingLoss: metrics.map(({ trainLoss }) => trainLoss),
          trainingAccuracy: metrics.map(({ trainAccuracy }) => trainAccuracy),
          validationLoss: metrics.map(({ validationLoss }) => validationLoss),
          validationAccuracy: metrics.map(({ validationAccuracy }) => validationAccuracy),
        })),
    ),
  );
  const known = byArm.flatMap((value) => value ?? []);
  const epochs = Math.max(0, ...own.map(({ metrics }) => metrics.length));
  return [{ name, epochs, byArm, all: known.length === 0 ? null : mean(known) }];
});

console.log(`| candidate | epochs | ${ARMS.join(" | ")} | all |`);
console.log(`| --- | --- | ${ARMS.map(() => "---").join(" | ")} | --- |`);
const between = ARMS.map((arm) => mean(CURVES.map((curve) => amongThemselves(arm, curve))));
console.log(
  `| the published runs, each beside the others | 30 | ${between.map(text).join(" | ")} | ${text(mean(between))} |`,
);
for (const { name, epochs, byArm, all } of rows.sort(
  (a, b) => (a.all ?? Number.POSITIVE_INFINITY) - (b.all ?? Number.POSITIVE_INFINITY),
))
  console.log(`| ${name} | ${epochs} | ${byArm.map(text).join(" | ")} | ${text(all)} |`);
