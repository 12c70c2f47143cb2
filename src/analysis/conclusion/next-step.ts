/** @file What to do next, in a sentence. */

import { counted, listed } from "../../core/words.ts";
import type { OptimizerSummary, PairedDifference } from "../../record/index.ts";
import { pairOf } from "../statistics/paired.ts";
import { leastSeeds } from "../statistics/sign-flip.ts";
import { isNegligible, recommendedSeeds } from "./lead.ts";
import { type ConclusionInput, holdsForOthers, isApart, seedsOf } from "./wording.ts";

/**
 * @param order every arm, those that finished nothing last
 * @param compared those of them that are set against each other
 */
export function nextStep(
  order: readonly OptimizerSummary[],
  compared: readonly OptimizerSummary[],
  input: ConclusionInput,
): string[] {
  if (order.length === 0) return [];
  const [leader, next] = compared;
  if (order.some((arm) => (arm.unfinished ?? 0) > 0))
    return ["Next: finish the trials that are left."];
  const gone = order.filter((arm) => arm.diverged === arm.seeds.length).map(({ name }) => name);
  if (!leader)
    return gone.length > 0 ? ["Next: lower the rates, or find them with a range test."] : [];
  if (gone.length > 0)
    return [`Next: give ${listed(gone)} a lower rate, or find one with a range test.`];
  const guessing = order.filter((arm) => arm.guessing).map(({ name }) => name);
  if (guessing.length > 0)
    return [`Next: find ${listed(guessing)} another learning rate, with a range test.`];
  if (leader.diverged > 0)
    return [
      `Next: ${leader.name} at a lower rate; one at which some seeds diverge is not to be relied on.`,
    ];
  if (!next) return seedsOf(leader) === 1 ? ["Next: repeat it with more seeds."] : [];
  const pair = pairOf(input.pairs, leader.name, next.name);
  if (!pair || pair.interval === null)
    return [
      `Next: ${leastSeeds()} seeds or more, the fewest with which a test that assumes no distribution can decide.`,
    ];
  return ofPair(pair, order, input);
}

function ofPair(
  pair: PairedDifference,
  order: readonly OptimizerSummary[],
  input: ConclusionInput,
): string[] {
  const both = `${pair.a} and ${pair.b}`;
  if (pair.verdict === "apart") {
    if (holdsForOthers(pair) === false)
      return ["Next: more validation images; more seeds on the same ones cannot show it."];
    return (input.sensitivity ?? []).length > 0
      ? []
      : ["Next: see with --sensitivity 5 how that depends on the learning rates."];
  }
  const wanted = recommendedSeeds(pair);
  if (!isApart(pair) && isNegligible(pair, input))
    return [
      `Next: choose between ${both} by cost or by time to a target; their difference is too small to chase.`,
    ];
  if (wanted === null && !isApart(pair))
    return [
      `Next: choose between ${both} by cost or by time to a target; they are not worth so many seeds.`,
    ];
  const count = wanted ?? leastSeeds();
  // The same seeds would give the same differences again, with less to correct for.
  const from = Math.max(...order.flatMap(({ seeds }) => seeds)) + 1;
  return [
    `Next: compare ${both} alone over ${counted(count, "new seed")} (--seed ${from} --seeds ${count}).`,
  ];
}
