/** @file The headline of trained arms: who is ahead where the tests say so, else who is not told apart. */

import { epochsRun, isApart, isSparse, pairOf } from "../analysis/index.ts";
import { at, get, present } from "../core/at.ts";
import type { OptimizerSummary, SummaryRecord } from "../record/index.ts";
import { counted, listed, percentSpread, points, rates } from "./format.ts";

/** @param finished arms with a final accuracy, best first; at least one */
export function headlineOf(
  finished: readonly OptimizerSummary[],
  { pairs = [], protocol }: SummaryRecord,
): string {
  const compared = finished.filter((arm) => !isSparse(arm, finished));
  const [best, ...others] = compared as [OptimizerSummary, ...OptimizerSummary[]];
  const after = `after ${epochsRun(finished, protocol.epochs)}`;
  const described = (arm: OptimizerSummary) => percentSpread(arm.finalValidationAccuracy);
  const detail = `${seedsOf(best) > 1 ? `mean of ${counted(seedsOf(best), "seed")}` : "one seed"}${rateOf(best)}`;
  if (best.guessing)
    return others.length > 0
      ? `No arm does better than guessing ${after}.`
      : `${best.name} does no better than guessing: ${described(best)} ${after} (${detail}).`;
  if (others.length === 0)
    return `${best.name} reached a validation accuracy of ${described(best)} ${after} (${detail}).`;
  const close = others.filter((other) => {
    const pair = pairOf(pairs, best.name, other.name);
    return !pair || !isApart(pair);
  });
  const doubted = others.filter((arm) => arm.guessing).map(({ name }) => name);
  const guessing =
    doubted.length > 0
      ? ` ${listed(doubted)} ${doubted.length > 1 ? "are" : "is"} at the level of guessing.`
      : "";
  if (close.length === 0) {
    const next = present(pairOf(pairs, best.name, at(others, 0, "others").name), "pair");
    const whole = compared.every((arm) => seedsOf(arm) === seedsOf(best));
    return whole
      ? `${best.name} is ahead: a validation accuracy of ${described(best)} ${after} (${detail}).${guessing}`
      : `${best.name} is ahead: ${points(get(next, "mean", "pair"))} points above ${next.b} on the ${counted(next.seeds.length, "seed")} in common ${after}${rateOf(best)}.${guessing}`;
  }
  const shown = [best, ...close];
  if (shown.length > MOST_NAMED)
    return `${shown.length} arms are not told apart ${after}; ${best.name} has the highest mean validation accuracy, ${described(best)} (${detail}).`;
  const each = shown.map((arm) => `${arm.name} (${described(arm)})`);
  return `${listed(each)} are not told apart ${after}.${guessing}`;
}

/** More arms than this are counted, and not named. */
const MOST_NAMED = 4;

const seedsOf = ({ finalValidationAccuracy: { values } }: OptimizerSummary) =>
  values.filter((value) => value !== null).length;

const rateOf = ({ name, learningRates }: OptimizerSummary) =>
  learningRates.length === 0
    ? ""
    : `, learning rate ${name.includes("+") ? "up to " : ""}${rates(learningRates)}`;
