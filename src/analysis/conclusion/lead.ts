/** @file Who leads, by how much, and how sure that is: for other seeds, and for other images. */

import { at, get, present } from "../../core/at.ts";
import { counted, grouped, listed, percent, percentDigits } from "../../core/words.ts";
import type { OptimizerSummary, PairedDifference } from "../../record/index.ts";
import { pairOf, valuesBySeed } from "../statistics/paired.ts";
import { ALPHA, seedsNeeded } from "../statistics/power.ts";
import { leastSeeds, leastSignFlipP } from "../statistics/sign-flip.ts";
import { roundingOf } from "../statistics/spread.ts";
import { mean } from "../statistics/statistics.ts";
import { LEAST_VALUES, tInterval } from "../statistics/student-t.ts";
import {
  accuracy,
  type ConclusionInput,
  comparisonsOf,
  epochsRun,
  holdsForOthers,
  isApart,
  isAre,
  points,
  pText,
  seedsOf,
  signed,
} from "./wording.ts";

/** Two arms that are less than this apart are as good as each other: one point of accuracy. */
export const MARGIN = 0.01;
/** Differences of means below this are none to a tenth of a point. */
const LEVEL = 0.0005;
/** More seeds than this are not worth recommending. */
const MANY_SEEDS = 50;

/** The leader against the next, then against the others. */
export function lead(
  leader: OptimizerSummary,
  others: readonly OptimizerSummary[],
  input: ConclusionInput,
): string[] {
  const { pairs, epochs } = input;
  const next = at(others, 0, "others");
  const after = `After ${epochsRun([leader, ...others], epochs)}`;
  const pair = pairOf(pairs, leader.name, next.name);
  if (!pair || pair.mean === null)
    return [
      `${after} ${leader.name} has a mean validation accuracy of ${percent(accuracy(leader))} and ${next.name} one of ${percent(accuracy(next))}, but the two have no seed in common, so they cannot be compared.`,
    ];
  const level = others.filter((other) => isLevel(pairOf(pairs, leader.name, other.name)));
  return [
    level.length > 0
      ? `${after} ${listed([leader, ...level].map(({ name }) => name))} are level to a tenth of a point: ${percent(onCommonSeeds(leader, pair))} (${meanOf(pair, leader, next)}).`
      : `${after} ${leader.name} leads with a validation accuracy of ${percent(onCommonSeeds(leader, pair))} (${meanOf(pair, leader, next)}), ${points(pair.mean)} ahead of ${next.name}${pair.interval ? ` (95% interval ${range(pair.interval)})` : ""}.`,
    ...verdict(pair, input),
    ...forImages(pair, input),
    ...howManySeeds(pair, input),
    ...behind(leader, others, input),
  ];
}

const isLevel = (pair: PairedDifference | undefined) =>
  pair?.mean != null && Math.abs(pair.mean) < LEVEL;

const range = ({ low, high }: { readonly low: number; readonly high: number }) =>
  `${signed(low)} to ${signed(high)}`;

const onCommonSeeds = (arm: OptimizerSummary, { seeds }: PairedDifference) => {
  const values = valuesBySeed(arm);
  return mean(seeds.map((seed) => get(values, seed, "values")));
};

function meanOf(
  { seeds }: PairedDifference,
  leader: OptimizerSummary,
  next: OptimizerSummary,
): string {
  const whole = [leader, next].every((arm) => seedsOf(arm) === seeds.length);
  if (seeds.length === 1) return whole ? "one seed" : "the one seed that both finished";
  return whole
    ? `mean of ${counted(seeds.length, "seed")}`
    : `mean of the ${counted(seeds.length, "seed")} that both finished`;
}

/** Whether another run on these images would show it. */
function verdict(pair: PairedDifference, { pairs }: ConclusionInput): string[] {
  const { adjustedTP: t = null, adjustedP: flips, seeds } = pair;
  if (t === null || flips === null)
    return [
      `With ${counted(seeds.length, "seed")} in common nothing says how much another would change: the difference may be chance.`,
    ];
  const comparisons = comparisonsOf(pairs);
  const corrected = (words: string) =>
    comparisons > 1 ? ` (${words}corrected for ${comparisons} comparisons)` : "";
  const both = `${pText(t)} by the t test and ${pText(flips)} by the sign-flip test${corrected("both ")}`;
  if (pair.verdict === "apart") return [`That is more than chance: ${both}.`];
  if (!isApart(pair)) return [`The difference may be chance: ${both}.`];
  const least = leastSignFlipP(seeds.length) * comparisons;
  return [
    `That is more than chance if the differences between seeds are about normally distributed: ${pText(t)} by the t test${corrected("")}.`,
    least >= ALPHA
      ? `The sign-flip test, which assumes no distribution, cannot tell with ${counted(seeds.length, "seed")}${comparisons > 1 ? ` and ${comparisons} comparisons` : ""} (${pText(flips)}); from ${leastSeeds(comparisons)} on it can.`
      : `The sign-flip test, which assumes no distribution, does not confirm it: ${pText(flips)}${corrected("")}.`,
  ];
}

/** Whether other images would, where anything is claimed. */
function forImages(pair: PairedDifference, { images }: ConclusionInput): string[] {
  if (!isApart(pair)) return [];
  const { overImages: over } = pair;
  const these = `these ${images === undefined ? "" : `${grouped(images)} `}validation images`;
  if (!over) return [`That is so on ${these}; what others would change is not recorded.`];
  return holdsForOthers(pair)
    ? [`It holds beyond ${these}: ${pText(over.adjustedP)} over seeds and images together.`]
    : [
        `That is so on ${these}; with others like them it may be chance (${pText(over.adjustedP)} over seeds and images together, 95% interval ${range(over.interval)}).`,
      ];
}

/** How many seeds would settle it, for the difference and the spread that were seen. */
function howManySeeds(pair: PairedDifference, input: ConclusionInput): string[] {
  if (pair.verdict === "apart" || pair.interval === null) return [];
  if (isNegligible(pair, input))
    return [
      `The two are within ${points(MARGIN)} of each other on these images, as the interval says.`,
    ];
  const wanted = recommendedSeeds(pair);
  if (isLevel(pair) || wanted === null)
    return isApart(pair)
      ? []
      : [
          `At the spread seen, more than ${MANY_SEEDS} seeds would be needed to show so small a difference.`,
        ];
  return [
    `If the difference is real and as large as seen, ${counted(wanted, "seed")} of these two alone would show it${isApart(pair) ? " without that condition" : ""} with power 0.8.`,
  ];
}

/**
 * Seeds to run next of two arms: the least at which the verdict on them is "apart" with power 0.8, were the
 * observed mean and deviation the true ones and `comparisons` to be corrected for. null where more than 50
 * would be needed.
 */
export function recommendedSeeds(pair: PairedDifference, comparisons = 1): number | null {
  if (pair.mean === null || pair.sd === null) return null;
  const certain = pair.sd === 0 && pair.mean !== 0;
  const wanted = certain
    ? leastSeeds(comparisons)
    : pair.sd === 0
      ? null
      : seedsNeeded(pair.mean / pair.sd, comparisons);
  return wanted === null || wanted > MANY_SEEDS ? null : wanted;
}

/**
 * Whether two one-sided t tests at 0.05, corrected for all comparisons, say that the arms are less than a
 * point apart on these images: the interval of 1 - 2 alpha lies within. (D. J. Schuirmann, "A comparison of
 * the two one-sided tests procedure and the power approach", Journal of Pharmacokinetics and
 * Biopharmaceutics 15 (1987) 657-680.)
 */
export function isNegligible(
  { differences }: PairedDifference,
  { pairs, images }: Pick<ConclusionInput, "pairs" | "images">,
): boolean {
  const level = 1 - (2 * ALPHA) / Math.max(1, comparisonsOf(pairs));
  const rounding = images === undefined ? 0 : 2 * roundingOf(images);
  const found = tInterval(differences, { level, rounding });
  return found !== null && found.low > -MARGIN && found.high < MARGIN;
}

/** The arms beyond the next: which of them are told apart from the leader, and which not. */
function behind(
  leader: OptimizerSummary,
  others: readonly OptimizerSummary[],
  { pairs }: ConclusionInput,
): string[] {
  const rest = others.slice(1).map((arm) => ({ arm, pair: pairOf(pairs, leader.name, arm.name) }));
  const isTested = ({ pair }: (typeof rest)[number]) => (pair?.seeds.length ?? 0) >= LEAST_VALUES;
  const names = (of: typeof rest) => listed(of.map(({ arm }) => arm.name));
  const tested = rest
    .filter(isTested)
    .map(({ arm, pair }) => ({ arm, pair: present(pair, "pair") }));
  const close = tested.filter(({ pair }) => !isApart(pair));
  const clear = (verdict: PairedDifference["verdict"], condition: string) => {
    const those = tested.filter(({ pair }) => pair.verdict === verdict);
    if (those.length === 0) return [];
    const by = spanOf(those.map(({ pair }) => get(pair, "mean", "pair")));
    return [
      `${names(those)} ${isAre(those)} behind ${leader.name} by ${by}, more than chance${condition}.`,
    ];
  };
  const here = tested.filter(({ pair }) => isApart(pair) && holdsForOthers(pair) === false);
  const { verdict: ofNext = "open" } = present(
    pairOf(pairs, leader.name, at(others, 0, "others").name),
    "pair",
  );
  const untested = rest.filter((entry) => !isTested(entry));
  return [
    ...(close.length > 0
      ? [
          `${names(close)} ${isAre(close)} not told apart from ${leader.name}${ofNext === "open" ? " either" : ""}.`,
        ]
      : []),
    ...clear("apart", ""),
    ...clear(
      "apart if normal",
      ofNext === "apart if normal"
        ? " on the same condition"
        : " if the differences between seeds are about normally distributed",
    ),
    ...(here.length > 0 ? [`Of ${names(here)} that is not shown for other images.`] : []),
    ...(untested.length > 0 && tested.length > 0
      ? [
          `${names(untested)} ${untested.length > 1 ? "have" : "has"} too few seeds in common with ${leader.name} to be compared.`,
        ]
      : []),
  ];
}

function spanOf(differences: readonly number[]): string {
  const [low, high] = [Math.min(...differences), Math.max(...differences)];
  const [first, last] = [percentDigits(low), percentDigits(high)];
  return first === last ? points(low) : `${first} to ${points(high)}`;
}
