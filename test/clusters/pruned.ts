/** @file Comparisons that prune, as tests run them on one machine and on many, and what must come out alike. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { readDecisions, readRun } from "../../src/store/index.ts";
import { TINY_FLAGS } from "../faults/tiny.ts";

const ARMS = "adam@1e-2,sgd@1e-12,adam@1e-12,sgd@0.05";
const SEEDS = [0, 1];

/** Flags of a comparison of four arms, of which two learn nothing. */
export const prunedFlags = (method: string): string[] => [
  ...["compare", ...TINY_FLAGS, "--seeds", `${SEEDS.length}`, "--no-samples", "--threads", "1"],
  ...["--optimizers", ARMS, "--epochs", "4"],
  ...["--prune", method, "--grace", "2", "--finalists", "1"],
  ...(method === "median" ? [] : ["--reduction", "2"]),
];

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

/** At least so many arms were pruned; and whatever the order in which trials came: all arms of a rung are judged by the same seeds, and end as was decided. */
export function expectPaired(path: string, { least = 1 }: { readonly least?: number } = {}): void {
  const decisions = readDecisions(path);
  expect(decisions.length).toBeGreaterThan(0);
  for (const { seeds } of decisions) expect(seeds).toEqual(SEEDS);
  const pruned = new Map(
    decisions.flatMap((one) => (one.decision === "pruned" ? [[one.arm, one] as const] : [])),
  );
  expect(pruned.size).toBeGreaterThanOrEqual(least);
  const { trials } = readRun(path);
  expect(trials).toHaveLength(4 * SEEDS.length);
  for (const { trial, metrics } of trials) {
    const end = pruned.get(trial.arm);
    expect([trial.arm, trial.status, metrics.length]).toEqual(
      end ? [trial.arm, "pruned", end.epoch] : [trial.arm, "done", 4],
    );
  }
}
