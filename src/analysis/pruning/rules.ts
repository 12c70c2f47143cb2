/**
 * @file Which arms go on from a rung. Each rule is a function of what the arms that have come there have reached, in
 * the order of the study, and of nothing else: who came first plays no role.
 */

import { median } from "../statistics/statistics.ts";
import type { ArmAtRung } from "./scores.ts";

/** Best first; equal ones in their order, and after all others those of which a seed diverged. */
export const ranking = (arms: readonly ArmAtRung[]): ArmAtRung[] =>
  [...arms].sort((a, b) => (b.score ?? -1) - (a.score ?? -1));

/** Of so many arms at a rung those that go on: one in `reduction`, rounded down. */
export const promotedOf = (arms: number, reduction: number): number => Math.floor(arms / reduction);

/**
 * Successive halving: the best one in `reduction` go on, and no fewer than `least`.
 * Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, 2016.
 */
export function halving(
  arms: readonly ArmAtRung[],
  { reduction, least }: { readonly reduction: number; readonly least: number },
): ReadonlySet<string> {
  const count = Math.max(least, promotedOf(arms.length, reduction));
  return new Set(
    ranking(arms)
      .slice(0, count)
      .map(({ arm }) => arm),
  );
}

/**
 * ASHA: of the arms that have come to the rung so far the best one in `reduction`, those that went on already aside.
 * Li et al., A System for Massively Parallel Hyperparameter Tuning, algorithm 2 (arXiv 1810.05934).
 */
export function promotable(
  arms: readonly ArmAtRung[],
  promoted: ReadonlySet<string>,
  reduction: number,
): string[] {
  return ranking(arms)
    .slice(0, promotedOf(arms.length, reduction))
    .map(({ arm }) => arm)
    .filter((arm) => !promoted.has(arm));
}

/** Fewer others to compare with are no median. */
const LEAST_OTHERS = 2;

/**
 * The median stopping rule: an arm ends whose best so far is below the median of the running averages of the others
 * at the same epoch. Of two others or more; one of which a seed diverged ends.
 * Golovin et al., Google Vizier, 2017, section 3.2.2.
 */
export function aboveMedian(
  arms: readonly ArmAtRung[],
  { least }: { readonly least: number },
): ReadonlySet<string> {
  const stays = arms.filter(({ arm, best }) => {
    const middle = medianOfOthers(arms, arm);
    return middle === null || (best !== null && best >= middle);
  });
  const kept = new Set(stays.map(({ arm }) => arm));
  const byBest = [...arms].sort((a, b) => (b.best ?? -1) - (a.best ?? -1));
  for (const { arm } of byBest) if (kept.size < least) kept.add(arm);
  return kept;
}

/** The median that an arm's best is held against; null where there are too few others. */
export function medianOfOthers(arms: readonly ArmAtRung[], one: string): number | null {
  const others = arms.flatMap(({ arm, average }) =>
    arm === one || average === null ? [] : [average],
  );
  return others.length < LEAST_OTHERS ? null : median(others);
}
