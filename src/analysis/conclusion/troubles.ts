/** @file What is missing, and what cannot be trusted: seeds without an end, arms that learned nothing. */

import { at, present } from "../../core/at.ts";
import { counted, listed, percent } from "../../core/words.ts";
import type { OptimizerSummary } from "../../record/index.ts";
import { isSparse } from "../ranking.ts";
import { valuesBySeed } from "../statistics/paired.ts";
import {
  accuracy,
  type Guess,
  isAre,
  lowered,
  namedOrCounted,
  seedRanges,
  seedsOf,
} from "./wording.ts";

/** Seeds that did not come to the end: the means are of the others, which flatters an arm. */
export function troubles(order: readonly OptimizerSummary[]): string[] {
  const told = (what: string, count: (arm: OptimizerSummary) => number, only = "its only seed") => {
    const each = order
      .filter((arm) => count(arm) > 0)
      .map(
        (arm, i) =>
          `${arm.name}${i === 0 ? ` ${what}` : ""} on ${partOf(count(arm), arm.seeds.length, only)}`,
      );
    return each.length > 0 ? [`${listed(each)}.`] : [];
  };
  return [
    ...told("diverged", (arm) => arm.diverged),
    ...told("failed", (arm) => arm.failed ?? 0),
    ...order.flatMap(({ name, failures = [] }) =>
      // What was wrong, without what was last in a log, or what to do about it.
      failures.slice(0, 1).map((reason) => `Reason of ${name}: ${reason.split("; ")[0]}.`),
    ),
    ...told("was pruned", (arm) => (arm.prunedAt ? 0 : (arm.pruned ?? 0))),
    ...prunedAtRungs(order),
    ...told("is not finished", (arm) => arm.unfinished ?? 0, "the one seed that it began"),
    ...missing(order),
  ];
}

/** Arms that ended at rungs: behind there, and nothing is known of where they would have come to. */
function prunedAtRungs(order: readonly OptimizerSummary[]): string[] {
  const arms = order.filter((arm) => arm.prunedAt);
  if (arms.length === 0) return [];
  const rungs = [...new Set(arms.map((arm) => present(arm.prunedAt, "prunedAt").rung))].sort(
    (a, b) => a - b,
  );
  const each = rungs.map((rung, i) => {
    const those = arms.filter(({ prunedAt }) => prunedAt?.rung === rung);
    const epoch = Math.max(...those.map((arm) => present(arm.prunedAt, "prunedAt").epoch));
    const names = namedOrCounted(
      those.map(({ name }) => name),
      order.length,
    );
    const said = i === 0 ? names : lowered(names);
    return `${said}${i === 0 ? ` ${those.length > 1 ? "were" : "was"} pruned` : ""} at rung ${rung} (epoch ${epoch})`;
  });
  const left = order.filter(({ finalValidationAccuracy: { mean } }) => mean !== null);
  return [
    `${listed(each)}: behind there, by all seeds together, which does not show where ${arms.length > 1 ? "they" : "it"} would have ended.`,
    ...(left.length > 0
      ? [
          `${left.length > 1 ? "The arms that are left were" : `${at(left, 0, "left").name} was`} chosen by these same seeds and images, so ${left.length > 1 ? "their accuracies are" : "its accuracy is"} a little too high; new seeds would say.`,
        ]
      : []),
  ];
}

/** Which seeds arms have no final accuracy of, and what that does to their means. */
function missing(order: readonly OptimizerSummary[]): string[] {
  const partial = order.flatMap((arm) => {
    const finished = valuesBySeed(arm);
    const without = arm.seeds.filter((seed) => !finished.has(seed)).sort((a, b) => a - b);
    return finished.size > 0 && without.length > 0 ? [{ arm, without }] : [];
  });
  if (partial.length === 0) return [];
  const most = Math.max(...order.map(seedsOf));
  const few = partial.filter(({ arm }) => isSparse(arm, order));
  const names = (of: typeof partial) => listed(of.map(({ arm }) => arm.name));
  return [
    `Without a final accuracy: ${listed(partial.map(({ arm, without }) => `${arm.name} on ${seedRanges(without)}`))}.`,
    `The ${partial.length > 1 ? "means" : "mean"} of ${names(partial)} ${isAre(partial)} of the seeds that were left, which flatters ${partial.length > 1 ? "them" : "it"}.`,
    ...(few.length > 0
      ? [
          `${names(few)} finished less than half of ${counted(most, "seed")}, and ${isAre(few)} not compared with the others.`,
        ]
      : []),
  ];
}

const partOf = (count: number, of: number, only: string) =>
  count === of ? (of === 1 ? only : `all ${of} seeds`) : `${count} of ${of} seeds`;

/** Arms that do no better than always giving the commonest answer: their rates are doubted first. */
export function guessing(order: readonly OptimizerSummary[], guess: Guess | undefined): string[] {
  const those = order.filter((arm) => arm.guessing);
  if (those.length === 0 || !guess) return [];
  const each = those.map((arm) => `${arm.name} (${percent(accuracy(arm))})`);
  return [
    `${namedOrCounted(each, order.length)} ${isAre(those)} at the level of guessing: always answering “${guess.answer}” scores ${percent(guess.accuracy)}. Doubt ${those.length > 1 ? "their learning rates" : "its learning rate"} first.`,
  ];
}
