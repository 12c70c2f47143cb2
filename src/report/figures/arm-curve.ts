/**
 * @file An arm's curve of one measure: mean, extremes, interval and deviation over its seeds at each epoch. It is kept
 * as long as the lines that it is of: a page that draws a study again after each epoch works out the arms that have
 * changed, and no others.
 */

import { spreadOf } from "../../analysis/index.ts";
import { at } from "../../core/at.ts";
import { greatestOf, leastOf } from "../../core/extremes.ts";
import type { EpochMetrics, TrialHistory } from "../../record/index.ts";
import { short } from "../format.ts";
import { curveOf, type Measure, secondsOf } from "./arms.ts";

type Values = readonly (number | null)[];

interface Side {
  readonly low: Values;
  readonly high: Values;
}

/** Index 0 is the first epoch that has a value. */
export interface MeasuredCurve {
  readonly epochs: readonly number[];
  readonly seconds: readonly number[];
  readonly mean: Values;
  readonly least: Values;
  readonly greatest: Values;
  /** Seeds that have a value. */
  readonly n: readonly number[];
  /** The last mean. */
  readonly last: number;
  /** In as many digits as a figure shows. */
  readonly drawn: {
    readonly seconds: readonly number[];
    readonly mean: Values;
    readonly range: Side;
    readonly interval: Side;
    readonly sd: Side;
  };
}

interface Kept {
  readonly of: readonly (readonly EpochMetrics[])[];
  readonly measure: Measure;
  readonly curve: MeasuredCurve | null;
}

/** By the lines of an arm's first seed, which are another array as soon as there is one more. */
const KEPT = new WeakMap<readonly EpochMetrics[], Kept[]>();

/** The curve of an arm's trials; null where none has a value. */
export function measuredCurve(
  trials: readonly TrialHistory[],
  measure: Measure,
): MeasuredCurve | null {
  const of = trials.map(({ metrics }) => metrics);
  const [first] = of;
  if (!first) return null;
  const kept = KEPT.get(first) ?? [];
  const isSame = (other: Kept) =>
    other.of.length === of.length && other.of.every((metrics, i) => metrics === of[i]);
  const found = kept.find((other) => other.measure === measure && isSame(other));
  if (found) return found.curve;
  const curve = work(trials, measure);
  KEPT.set(first, [...kept.filter(isSame), { of, measure, curve }]);
  return curve;
}

function work(trials: readonly TrialHistory[], measure: Measure): MeasuredCurve | null {
  const own = trials.map(({ metrics }) => curveOf(metrics, measure));
  const length = Math.max(0, ...own.map((curve) => curve.length));
  const all = Array.from({ length }, (_, i) => spreadOf(own.map((curve) => curve[i] ?? null)));
  // Not every epoch may have been validated: the line goes from one that was to the next.
  const epochs = all.flatMap(({ mean }, i) => (mean === null ? [] : [i + 1]));
  const spreads = epochs.map((epoch) => at(all, epoch - 1, "all"));
  const last = spreads.findLast((spread) => spread.mean !== null)?.mean ?? null;
  if (last === null) return null;
  const clock = secondsOf(trials, length);
  const seconds = epochs.map((epoch) => at(clock, epoch - 1, "seconds"));
  const values = spreads.map((spread) => spread.values.filter((value) => value !== null));
  const mean = spreads.map((spread) => spread.mean);
  const least = values.map((some) => (some.length > 0 ? leastOf(some) : null));
  const greatest = values.map((some) => (some.length > 0 ? greatestOf(some) : null));
  const deviation = (sign: 1 | -1) =>
    spreads.map((spread) =>
      spread.mean === null || spread.sd === null ? null : short(spread.mean + sign * spread.sd),
    );
  return {
    ...{ epochs, seconds, mean, least, greatest, last },
    n: values.map((some) => some.length),
    drawn: {
      seconds: seconds.map((value) => Math.round(value * 10) / 10),
      mean: mean.map(short),
      range: { low: least.map(short), high: greatest.map(short) },
      interval: {
        low: spreads.map(({ interval }) => short(interval?.low ?? null)),
        high: spreads.map(({ interval }) => short(interval?.high ?? null)),
      },
      sd: { low: deviation(-1), high: deviation(1) },
    },
  };
}
