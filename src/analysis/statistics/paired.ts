/** @file Two arms, seed by seed: the difference, and how much of it may be chance. */

import type { OptimizerSummary, PairedDifference, Spread } from "../../record/index.ts";
import { bootstrapMean } from "./bootstrap.ts";
import { seedsNeeded } from "./power.ts";
import { holm, leastSignFlipP, signFlipP } from "./sign-flip.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { tInterval } from "./student-t.ts";

/** Fields of an arm's summary that arms can be compared by. */
export type Measure = {
  [K in keyof OptimizerSummary]-?: NonNullable<OptimizerSummary[K]> extends Spread ? K : never;
}[keyof OptimizerSummary];

/** The one that the records compare by. */
export const PRIMARY_MEASURE = "finalValidationAccuracy" satisfies Measure;

/**
 * Every pair of arms once, the former in the order given minus the latter, over the seeds that both
 * have a value for. `adjustedP` holds over all the pairs together.
 */
export function pairedDifferences(
  optimizers: readonly OptimizerSummary[],
  measure: Measure = PRIMARY_MEASURE,
): PairedDifference[] {
  const pairs = optimizers.flatMap((a, index) =>
    optimizers.slice(index + 1).map((b) => pairedDifference(a, b, measure)),
  );
  const adjusted = holm(pairs.map(({ p }) => p));
  return pairs.map((pair, index) => ({ ...pair, adjustedP: adjusted[index]! }));
}

/** One pair, `adjustedP` being p itself. */
export function pairedDifference(
  a: OptimizerSummary,
  b: OptimizerSummary,
  measure: Measure = PRIMARY_MEASURE,
): PairedDifference {
  const [first, second] = [valuesBySeed(a, measure), valuesBySeed(b, measure)];
  const seeds = [...first.keys()].filter((seed) => second.has(seed)).sort((x, y) => x - y);
  const differences = seeds.map((seed) => first.get(seed)! - second.get(seed)!);
  const sd = standardDeviation(differences);
  const centre = differences.length === 0 ? null : mean(differences);
  const p = signFlipP(differences);
  return {
    a: a.name,
    b: b.name,
    measure,
    seeds,
    differences,
    mean: centre,
    sd,
    interval: tInterval(differences),
    p,
    adjustedP: p,
    leastP: p === null ? null : leastSignFlipP(seeds.length),
    bootstrap: bootstrapMean(differences),
    probability: centre === null ? null : mean(differences.map(win)),
    seedsNeeded: sd === null || sd === 0 ? null : seedsNeeded(centre! / sd),
  };
}

const win = (difference: number) => (difference > 0 ? 1 : difference === 0 ? 0.5 : 0);

function valuesBySeed(optimizer: OptimizerSummary, measure: Measure): Map<number, number> {
  const values = optimizer[measure]?.values ?? [];
  return new Map(
    optimizer.seeds.flatMap((seed, index) => {
      const value = values[index] ?? null;
      return value === null ? [] : [[seed, value] as const];
    }),
  );
}
