/** @file What to do next: in a sentence, and as a study that can be asked for. */

import { counted, listed } from "../../core/words.ts";
import type { NextStudy, OptimizerSummary, PairedDifference } from "../../record/index.ts";
import { pairOf } from "../statistics/paired.ts";
import { leastSeeds } from "../statistics/sign-flip.ts";
import { isNegligible, recommendedSeeds } from "./lead.ts";
import {
  type ConclusionInput,
  holdsForOthers,
  isApart,
  lowered,
  namedOrCounted,
  seedsOf,
} from "./wording.ts";

/** Of one arm, that had one. */
const FEW_SEEDS = 3;

export interface NextStep {
  readonly say: string;
  /** Absent where no study gives it. */
  readonly ask?: NextStudy;
}

const rangeTestOf = (arms: string[]): NextStudy => ({ kind: "find", arms });

/**
 * null where there is nothing to propose.
 * @param order every arm, those that finished nothing last
 * @param compared those of them that are set against each other
 */
export function nextStep(
  order: readonly OptimizerSummary[],
  compared: readonly OptimizerSummary[],
  input: ConclusionInput,
): NextStep | null {
  if (order.length === 0) return null;
  const [leader, next] = compared;
  if (order.some((arm) => (arm.unfinished ?? 0) > 0))
    return { say: "Next: finish the trials that are left." };
  const gone = order.filter((arm) => arm.diverged === arm.seeds.length).map(({ name }) => name);
  if (!leader)
    return gone.length > 0
      ? {
          say: "Next: lower the rates, or find them with a range test.",
          ask: rangeTestOf(gone),
        }
      : null;
  if (gone.length > 0)
    return {
      say: `Next: give ${listed(gone)} a lower rate, or find one with a range test.`,
      ask: rangeTestOf(gone),
    };
  const guessing = order.filter((arm) => arm.guessing).map(({ name }) => name);
  if (guessing.length > 0)
    return {
      say: `Next: find ${lowered(namedOrCounted(guessing, order.length))} another learning rate, with a range test.`,
      ask: rangeTestOf(guessing),
    };
  if (leader.diverged > 0)
    return {
      say: `Next: ${leader.name} at a lower rate; one at which some seeds diverge is not to be relied on.`,
      ask: rangeTestOf([leader.name]),
    };
  const names = order.filter((arm) => !arm.prunedAt).map(({ name }) => name);
  const first = Math.min(...order.flatMap(({ seeds }) => seeds));
  const more = (count: number): NextStudy => ({
    kind: "compare",
    arms: names,
    seeds: { first, count },
  });
  const pruned = order.some((arm) => arm.prunedAt);
  // Its own seeds chose it.
  if (!next && pruned) return freshSeeds([leader.name], order);
  if (!next)
    return seedsOf(leader) === 1
      ? { say: "Next: repeat it with more seeds.", ask: more(FEW_SEEDS) }
      : null;
  const pair = pairOf(input.pairs, leader.name, next.name);
  if (!pair || pair.interval === null)
    return {
      say: `Next: ${leastSeeds()} seeds or more, the fewest with which a test that assumes no distribution can decide.`,
      ask: more(leastSeeds()),
    };
  return ofPair(pair, order, input);
}

/** Of arms that were chosen by the seeds that they were compared on: others. */
function freshSeeds(arms: string[], order: readonly OptimizerSummary[]): NextStep {
  const count = Math.max(FEW_SEEDS, ...order.map(({ seeds }) => seeds.length));
  const first = Math.max(...order.flatMap(({ seeds }) => seeds)) + 1;
  return {
    say: `Next: ${listed(arms)} over ${counted(count, "new seed")} (--seed ${first} --seeds ${count}), which did not choose ${arms.length > 1 ? "them" : "it"}.`,
    ask: { kind: "compare", arms, seeds: { first, count } },
  };
}

function ofPair(
  pair: PairedDifference,
  order: readonly OptimizerSummary[],
  input: ConclusionInput,
): NextStep | null {
  const both = `${pair.a} and ${pair.b}`;
  if (pair.verdict === "apart") {
    if (holdsForOthers(pair) === false)
      return { say: "Next: more validation images; more seeds on the same ones cannot show it." };
    if (order.some((arm) => arm.prunedAt)) return freshSeeds([pair.a, pair.b], order);
    return (input.sensitivity ?? []).length > 0
      ? null
      : {
          say: "Next: see with --sensitivity 5 how that depends on the learning rates.",
          ask: { kind: "compare", arms: order.map(({ name }) => name), sensitivity: 5 },
        };
  }
  const wanted = recommendedSeeds(pair);
  const by =
    input.machines === undefined
      ? "cost or by time to a target"
      : "the epochs that they take to a target";
  if (!isApart(pair) && isNegligible(pair, input))
    return {
      say: `Next: choose between ${both} by ${by}; their difference is too small to chase.`,
    };
  if (wanted === null && !isApart(pair))
    return {
      say: `Next: choose between ${both} by ${by}; they are not worth so many seeds.`,
    };
  const count = wanted ?? leastSeeds();
  // The same seeds would give the same differences again, with less to correct for.
  const from = Math.max(...order.flatMap(({ seeds }) => seeds)) + 1;
  return {
    say: `Next: compare ${both} alone over ${counted(count, "new seed")} (--seed ${from} --seeds ${count}).`,
    ask: { kind: "compare", arms: [pair.a, pair.b], seeds: { first: from, count } },
  };
}
