/**
 * @file Rules that read a learning rate off the curve of a range test. Each is a pure function of
 * rates and smoothed losses, of equal length and all finite, and gives null where the curve does
 * not carry it.
 */

import { at } from "../../core/at.ts";
import { ArgumentError } from "../../core/errors.ts";
import type { RangeTestRuleName } from "../../record/index.ts";
import { accuracyElbow } from "./accuracy-elbow.ts";

export interface Curve {
  readonly lrs: readonly number[];
  /** Smoothed. */
  readonly losses: readonly number[];
  /** In 0 .. 1, as measured; absent where a record has none. */
  readonly accuracies?: readonly number[];
  /** Loss before training moved it; default: the mean of the first tenth of the losses. */
  readonly begin?: number;
}

export type RangeTestRule = (curve: Curve) => number | null;

/** Index of the first least value. */
export function argmin(values: readonly number[]): number {
  let least = 0;
  for (let i = 1; i < values.length; i++)
    if (at(values, i, "values") < at(values, least, "values")) least = i;
  return least;
}

/** Of its fall, what a loss has left at the rate that `fall` reads. */
const LEFT = 0.2;

/**
 * The rate by which the loss has made four fifths of its fall, from where it began to its least: the last one
 * before the least at which it stands higher. Where the least lies on a flat bottom is chance; the flank that
 * leads down to it is steep. null where the loss does not fall.
 */
export function fall({ lrs, losses, begin = startOf(losses) }: Curve): number | null {
  const first = Math.floor(losses.length / 10);
  const least = first + argmin(losses.slice(first));
  const floor = losses[least] ?? begin;
  const height = floor + LEFT * (begin - floor);
  const above = losses.slice(0, least).findLastIndex((loss) => loss > height);
  return begin > floor && above >= 0 ? at(lrs, above, "lrs") : null;
}

function startOf(losses: readonly number[]): number {
  const some = losses.slice(0, Math.max(1, Math.floor(losses.length / 10)));
  return some.reduce((sum, loss) => sum + loss, 0) / some.length;
}

/**
 * The published rule: the rate at the smoothed minimum, divided by ten. A rate at the very minimum
 * is already on the edge of divergence; a tenth of it still moves. As `minimum` of fastai 2.x.
 */
export function minimumOverTen({ lrs, losses }: Curve): number | null {
  return losses.length === 0 ? null : at(lrs, argmin(losses), "lrs") / 10;
}

/**
 * The rate where the loss falls fastest against the logarithm of the rate: left end of the interval
 * with the least difference quotient. As `steep` of fastai 2.x. null where the loss never falls.
 */
export function steepest(curve: Curve): number | null {
  const { lrs, losses } = trimmed(curve);
  if (losses.length < 2) return null;
  const slopes = losses
    .slice(1)
    .map(
      (loss, i) =>
        (loss - at(losses, i, "losses")) /
        (Math.log(at(lrs, i + 1, "lrs")) - Math.log(at(lrs, i, "lrs"))),
    );
  const steepest = argmin(slopes);
  return at(slopes, steepest, "slopes") < 0 ? at(lrs, steepest, "lrs") : null;
}

/**
 * A point well down the longest valley: with `length` that of the longest strictly decreasing
 * subsequence and `end` the index where it is first reached, the valley is taken to be
 * (end - length, end), and the point lies half of it in, in whole thirds and sixths. As `valley` of
 * fastai 2.x, which takes the valley's start to be end - length although the subsequence may skip, so
 * that a curve that falls from its first point begins one before it. null where that is the point too:
 * Python's list counts it from its end.
 */
export function valley(curve: Curve): number | null {
  const { lrs, losses } = trimmed(curve);
  if (losses.length < 2) return null;
  // tails[k]: greatest last value of a decreasing subsequence of length k + 1 so far.
  const tails: number[] = [];
  let end = 0;
  for (const [i, loss] of losses.entries()) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(tails, middle, "tails") > loss) low = middle + 1;
      else high = middle;
    }
    if (low === tails.length) end = i;
    tails[low] = loss;
  }
  const length = tails.length;
  if (length < 2) return null;
  return lrs[end - length + Math.floor(length / 3) + Math.floor(length / 6)] ?? null;
}

const SLIDE_WIDTH = 15;
const SLIDE_THRESHOLD = 0.005;

/**
 * Slide an interval of 15 points down from the end of the curve until the slopes at its two ends
 * differ by no more than 0.005; the rate at the left end of the last interval that differed. As
 * `slide` of fastai 2.x. null below 16 points.
 */
export function slide(curve: Curve): number | null {
  const { lrs, losses } = trimmed(curve);
  if (losses.length <= SLIDE_WIDTH) return null;
  const slopes = gradient(losses);
  let right = losses.length - 1;
  let left = right - SLIDE_WIDTH;
  let rate = at(lrs, left, "lrs");
  while (
    left >= 0 &&
    Math.abs(at(slopes, right, "slopes") - at(slopes, left, "slopes")) > SLIDE_THRESHOLD
  ) {
    rate = at(lrs, left, "lrs");
    right--;
    left--;
  }
  return rate;
}

/** The greater rate of `accuracyElbow`. null where the curve has no accuracy, or it does not rise. */
export const elbow: RangeTestRule = ({ lrs, accuracies }) =>
  accuracies ? (accuracyElbow(lrs, accuracies)?.maxLr ?? null) : null;

/** Every rule by the name that records and flags use. */
export const rangeTestRules = {
  fall,
  "minimum/10": minimumOverTen,
  steepest,
  valley,
  slide,
  elbow,
} as const satisfies Record<RangeTestRuleName, RangeTestRule>;

/** Of a guarded reading, and of one as published. */
export const DEFAULT_RULES = {
  averaged: "fall",
  published: "minimum/10",
} as const satisfies Record<string, RangeTestRuleName>;

/**
 * What a rule's rate is multiplied by for a constant rate, and for the peak of a schedule that rises and
 * falls: a cycle spends little time at its peak, and bears a greater rate than a whole run does. Of "fall"
 * those with the least regret on the design tasks of the regret study (bench/regret), of the other rules as
 * their authors use them, and three times that.
 */
export const RATE_FACTORS: Readonly<
  Record<RangeTestRuleName, { readonly constant: number; readonly peak: number }>
> = {
  fall: { constant: 1.6, peak: 3.2 },
  "minimum/10": { constant: 1, peak: 3 },
  steepest: { constant: 1, peak: 3 },
  valley: { constant: 1, peak: 3 },
  slide: { constant: 1, peak: 3 },
  // Its rate is the CLR paper's max_lr: a peak.
  elbow: { constant: 1 / 3, peak: 1 },
};

/** As published: one upper bound, for a constant rate and for the peak of a cycle. */
export const PUBLISHED_FACTORS = { constant: 1, peak: 1 } as const;

/** The lower bound of a cycle is its peak divided by this; the elbow has a lower bound of its own. */
export const BASE_RATIO = 6;

/** @throws ArgumentError on a name that is no rule's. */
export function checkRuleName(name: string): asserts name is RangeTestRuleName {
  if (!Object.hasOwn(rangeTestRules, name))
    throw new ArgumentError(
      `range test: rule must be one of ${Object.keys(rangeTestRules).join(", ")}; got "${name}"`,
    );
}

/**
 * Without the first tenth, where smoothing has not settled, and the last five points, where the
 * loss explodes; fastai 2.x does the same before its rules other than the minimum.
 */
function trimmed({ lrs, losses }: Curve): Curve {
  const first = Math.floor(losses.length / 10);
  const last = losses.length - 5;
  return { lrs: lrs.slice(first, last), losses: losses.slice(first, last) };
}

/** Central differences inside, one-sided at the ends: numpy.gradient with unit spacing. */
function gradient(values: readonly number[]): number[] {
  const last = values.length - 1;
  return values.map((_, i) => {
    const from = Math.max(0, i - 1);
    const to = Math.min(last, i + 1);
    return (at(values, to, "values") - at(values, from, "values")) / (to - from);
  });
}
