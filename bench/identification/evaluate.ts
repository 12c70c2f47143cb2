/**
 * @file What the candidates' runs say: a table of their distances to the published curves, nearest first, which of
 * them are further or nearer than another seed of the centre would be, and the training losses of the first epoch.
 * `npx jiti bench/identification/evaluate.ts OUT [EPOCHS]`: the first so many epochs, by default 30.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { mean, standardDeviation } from "../../src/analysis/statistics/statistics.ts";
import { readRun } from "../../src/store/index.ts";
import { CANDIDATES, type Candidate, CENTRE, differsInCycleAlone } from "./candidates.ts";
import { amongThemselves, CURVES, distance, published, type RunCurves } from "./distance.ts";
import { furtherSeed } from "./further-seed.ts";

const [out, epochs = "30"] = process.argv.slice(2);
if (out === undefined) throw new Error("evaluate.ts OUT [EPOCHS]");
const to = Number(epochs);

const ARMS = Object.keys(published);
const text = (value: number | null) => (value === null ? "" : value.toFixed(1));

/** Root mean square over the four curves; null where the arm has not been trained. */
function armDistance(arm: string, runs: readonly RunCurves[]): number | null {
  const distances = runs.flatMap((run) => {
    const each = CURVES.flatMap((curve) => distance(arm, curve, run, { to }) ?? []);
    return each.length === 0 ? [] : [Math.sqrt(mean(each.map((value) => value * value)))];
  });
  return distances.length === 0 ? null : mean(distances);
}

const trialsOf = (name: string) => {
  const folder = join(out, name);
  return existsSync(join(folder, "experiment.json")) ? readRun(folder).trials : [];
};

const only = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
const armOf = (arm: string) => arm.replace(/[(@].*$/, "");

/** A candidate's runs, seed by seed, each with the arms that it has. */
function runsOf(candidate: Candidate): ReadonlyMap<number, ReadonlyMap<string, RunCurves>> {
  const own = trialsOf(candidate.name);
  const shared = differsInCycleAlone(candidate)
    ? trialsOf(CENTRE.name).filter(({ trial }) => armOf(trial.arm) !== "sgd+clr")
    : [];
  const seeds = new Map<number, Map<string, RunCurves>>();
  for (const { trial, metrics } of own.length === 0 ? [] : [...own, ...shared]) {
    if (metrics.length === 0) continue;
    const arms = seeds.get(trial.seed) ?? new Map<string, RunCurves>();
    seeds.set(trial.seed, arms);
    arms.set(armOf(trial.arm), {
      trainingLoss: metrics.map(({ trainLoss }) => trainLoss),
      trainingAccuracy: metrics.map(({ trainAccuracy }) => trainAccuracy),
      validationLoss: metrics.map(({ validationLoss }) => validationLoss),
      validationAccuracy: metrics.map(({ validationAccuracy }) => validationAccuracy),
    });
  }
  return seeds;
}

interface Row {
  readonly name: string;
  readonly epochs: number;
  readonly seeds: number;
  readonly byArm: readonly (number | null)[];
  /** Mean over the arms, of each seed that has them all. */
  readonly all: readonly number[];
  readonly firstLoss: readonly (number | null)[];
}

const rows = CANDIDATES.flatMap((candidate): Row[] => {
  const seeds = [...runsOf(candidate).values()];
  if (seeds.length === 0) return [];
  const runs = (arm: string) => seeds.flatMap((arms) => arms.get(arm) ?? []);
  const losses = (arm: string) => runs(arm).flatMap((run) => run.trainingLoss[0] ?? []);
  const all = seeds.flatMap((arms) => {
    const each = ARMS.map((arm) => armDistance(arm, only(arms.get(arm))));
    return each.every((value) => value !== null) ? [mean(each)] : [];
  });
  return [
    {
      name: candidate.name,
      epochs: Math.max(...ARMS.flatMap((arm) => runs(arm).map((run) => run.trainingLoss.length))),
      seeds: all.length || seeds.length,
      byArm: ARMS.map((arm) => armDistance(arm, runs(arm))),
      all,
      firstLoss: ARMS.map((arm) => (losses(arm).length === 0 ? null : mean(losses(arm)))),
    },
  ];
});

const interval = furtherSeed(rows.find(({ name }) => name === CENTRE.name)?.all ?? []);
function judged({ name, all }: Row): string {
  if (name === CENTRE.name || interval === undefined || all.length === 0) return "";
  const [least, most] = interval;
  const value = mean(all);
  if (value > most) return "further than a seed of the centre";
  return value < least ? "nearer than a seed of the centre" : "not told apart from the centre";
}

console.log(`| candidate | epochs | seeds | ${ARMS.join(" | ")} | all | |`);
console.log(`| --- | --- | --- | ${ARMS.map(() => "---").join(" | ")} | --- | --- |`);
const between = ARMS.map((arm) => mean(CURVES.map((curve) => amongThemselves(arm, curve, to))));
console.log(
  `| the published runs, each beside the others | ${to} | 3 | ${between.map(text).join(" | ")} | ${text(mean(between))} | |`,
);
const distanceOf = ({ all }: Row) => (all.length === 0 ? Number.POSITIVE_INFINITY : mean(all));
for (const row of [...rows].sort((a, b) => distanceOf(a) - distanceOf(b)))
  console.log(
    `| ${row.name} | ${row.epochs} | ${row.seeds} | ${row.byArm.map(text).join(" | ")} | ${row.all.length === 0 ? "" : text(mean(row.all))} | ${judged(row)} |`,
  );
if (interval)
  console.log(
    `\nAnother seed of the centre, 95%: ${interval.map((value) => value.toFixed(2)).join(" to ")}`,
  );

const loss = (value: number | null) => (value === null ? "" : value.toPrecision(4));
console.log(`\n| training loss of the first epoch | ${ARMS.join(" | ")} |`);
console.log(`| --- | ${ARMS.map(() => "---").join(" | ")} |`);
const ranges = ARMS.map((arm) => {
  const first = published[arm]!.trainingLoss.map((run) => run[0]!);
  return `${loss(Math.min(...first))} - ${loss(Math.max(...first))}`;
});
console.log(`| published | ${ranges.join(" | ")} |`);
for (const { name, firstLoss } of rows)
  console.log(`| ${name} | ${firstLoss.map(loss).join(" | ")} |`);
const factors = ARMS.map((arm) => {
  const logs = [...runsOf(CENTRE).values()].flatMap((arms) =>
    only(arms.get(arm)?.trainingLoss[0] ?? undefined).map(Math.log),
  );
  const sd = standardDeviation(logs);
  return sd === null ? "" : Math.exp(sd).toFixed(2);
});
console.log(`| a standard deviation of the centre's seeds, as a factor | ${factors.join(" | ")} |`);
