/** @file What becomes of the arms at a rung, and why, in words that go on the record. */

import {
  type ArmAtRung,
  aboveMedian,
  halving,
  medianOfOthers,
  promotedOf,
  ranking,
} from "../../analysis/index.ts";
import type { Pruning } from "../../arms/pruning.ts";
import { percent } from "../../core/words.ts";
import type { RungDecision } from "../../record/index.ts";

/** One rung of a study. */
export interface Rung {
  /** From 1. */
  readonly rung: number;
  readonly epoch: number;
}

/**
 * Decides on the arms that are not decided on yet, in the order of the study. One that comes late, as its run had
 * failed or as it was asked for later, is judged beside all that came before it.
 * @param arms that have come to the rung, those that were decided on among them
 */
export function decideTogether(
  arms: readonly ArmAtRung[],
  decided: ReadonlySet<string>,
  at: Rung & { readonly pruning: Pruning },
): RungDecision[] {
  const { method, reduction, finalists: least } = at.pruning;
  const going =
    method === "median" ? aboveMedian(arms, { least }) : halving(arms, { reduction, least });
  return arms
    .filter(({ arm }) => !decided.has(arm))
    .map((one) =>
      decisionOn(one, arms, {
        ...at,
        promoted: going.has(one.arm),
        reason:
          method === "median" ? medianReason(one, arms, going) : rankReason(one, arms, going.size),
      }),
    );
}

/** One decision, with where the arm stands. */
export function decisionOn(
  { arm, seeds, score }: ArmAtRung,
  arms: readonly ArmAtRung[],
  { rung, epoch, promoted, reason }: Rung & { readonly promoted: boolean; readonly reason: string },
): RungDecision {
  const rank = ranking(arms).findIndex((other) => other.arm === arm) + 1;
  const decision = promoted ? "promoted" : "pruned";
  return { arm, rung, epoch, decision, seeds: [...seeds], score, rank, of: arms.length, reason };
}

/** "its mean accuracy, 41.2%, is 5th of 9, and 3 go on" */
export function rankReason(one: ArmAtRung, arms: readonly ArmAtRung[], going: number): string {
  return `${standing(one, arms)}, and ${going} ${going === 1 ? "goes" : "go"} on`;
}

/** "its mean accuracy, 41.2%, is 2nd of the 6 that had come there, and the best one in 3 goes on" */
export const ashaReason = (one: ArmAtRung, arms: readonly ArmAtRung[], reduction: number): string =>
  `${standing(one, arms)} that had come there, and the best ${promotedOf(arms.length, reduction)}, one in ${reduction}, go on`;

function standing({ arm, score, seeds }: ArmAtRung, arms: readonly ArmAtRung[]): string {
  const rank = ranking(arms).findIndex((other) => other.arm === arm) + 1;
  const what =
    score === null
      ? "a seed of it diverged, which makes it"
      : `its ${seeds.length === 1 ? "" : "mean "}accuracy, ${percent(score)}, is`;
  return `${what} ${ordinal(rank)} of ${arms.length}`;
}

/** "its best so far, 41.2%, is below 55.0%, the median of the others' running averages" */
function medianReason(
  { arm, best }: ArmAtRung,
  arms: readonly ArmAtRung[],
  going: ReadonlySet<string>,
): string {
  const middle = medianOfOthers(arms, arm);
  if (middle === null) return "there are too few others for a median";
  const median = `${percent(middle)}, the median of the others' running averages`;
  const isBelow = best === null || best < middle;
  const what = best === null ? "a seed of it diverged" : `its best so far, ${percent(best)}, is`;
  const how = best === null ? "" : ` ${isBelow ? "below" : "not below"} ${median}`;
  return `${what}${how}${isBelow && going.has(arm) ? ", but no more are pruned, as so few are left" : ""}`;
}

/** "1st", "2nd", "3rd", "4th", "11th", "21st" */
function ordinal(number: number): string {
  const last = number % 10;
  const teen = Math.floor((number % 100) / 10) === 1;
  return `${number}${teen ? "th" : last === 1 ? "st" : last === 2 ? "nd" : last === 3 ? "rd" : "th"}`;
}
