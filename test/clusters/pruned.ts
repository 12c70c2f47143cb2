/** @file Comparisons that prune, as tests run them on one machine and on many, and what must come out alike. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { readDecisions, readRun } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";

const SEEDS = [0, 1];

/** Of four arms two learn nothing; where the median is to tell, one of three, and long enough that the others have. */
const ARMS = {
  median: ["adam@1e-2,sgd@1e-12,adam@3e-3", "--epochs", "16", "--grace", "8"],
  others: ["adam@1e-2,sgd@1e-12,adam@1e-12,sgd@0.05", "--epochs", "4", "--grace", "2"],
};

export const prunedFlags = (method: string): string[] => [
  ...["compare", ...TINY_FLAGS, "--seeds", `${SEEDS.length}`, "--no-samples", "--threads", "1"],
  ...["--optimizers", ...(method === "median" ? ARMS.median : ARMS.others)],
  ...["--prune", method, "--finalists", "1"],
  ...(method === "median" ? [] : ["--reduction", "2"]),
];

/** The median of the others' averages has ended the arm that learns nothing, and the report says so. */
export function expectBelowMedian(path: string): void {
  const [own] = readDecisions(path).filter(({ arm }) => arm === "sgd@1e-12");
  expect(own).toMatchObject({ decision: "pruned", rung: 1, epoch: 8, seeds: SEEDS });
  expect(own?.reason).toMatch(/^its best so far, .*%, is below .*%, the median of the others'/);
  const report = readFileSync(join(path, "report.html"), "utf8").replaceAll("&#39;", "'");
  for (const said of [
    /sgd@1e-12( and [^.]*)? (was|were) pruned at rung 1 \(epoch 8\)/,
    "The median stopping rule was on",
    "chosen by these same seeds",
  ])
    expect(report).toMatch(said);
}

/** What a study that prunes leaves, without times: decisions as they are, each trial's state, epochs and weights. */
export function prunedResult(path: string) {
  return {
    decisions: readFileSync(join(path, "pruning.jsonl"), "utf8"),
    trials: readRun(path).trials.map(({ trial, metrics }) => {
      const folder = join(path, "trials", `${trial.slug}-${trial.seed}`);
      return {
        ...{ arm: trial.arm, seed: trial.seed, status: trial.status, rung: trial.rung },
        metrics: metrics.map(({ seconds: _, ...line }) => line),
        weights:
          trial.status === "done"
            ? readFileSync(join(folder, "last.safetensors")).toString("base64")
            : "",
      };
    }),
  };
}

/** At least one arm was pruned; and whatever the order in which trials came: all arms of a rung are judged by the same seeds, and end as was decided. */
export function expectPaired(path: string): void {
  const decisions = readDecisions(path);
  expect(decisions.length).toBeGreaterThan(0);
  for (const { seeds } of decisions) expect(seeds).toEqual(SEEDS);
  const pruned = new Map(
    decisions.flatMap((one) => (one.decision === "pruned" ? [[one.arm, one] as const] : [])),
  );
  expect(pruned.size).toBeGreaterThan(0);
  const { trials } = readRun(path);
  expect(trials).toHaveLength(new Set(decisions.map(({ arm }) => arm)).size * SEEDS.length);
  for (const { trial, metrics } of trials) {
    const end = pruned.get(trial.arm);
    expect([trial.arm, trial.status, metrics.length]).toEqual(
      end ? [trial.arm, "pruned", end.epoch] : [trial.arm, "done", trial.epochs],
    );
  }
}
