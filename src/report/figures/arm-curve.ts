/**
 * @file An arm's curve of one measure: mean, extremes, interval and deviation over its seeds at each epoch. It is kept
 * as long as the lines that it is of: a page that draws a study again after each epoch works out the arms that have
 * changed, and no others.
 */

import { mean, standardDeviation, tInterval } from "../../analysis/index.ts";
import { at } from "../../core/at.ts";
import { greatestOf, leastOf } from "../../core/extremes.ts";
import type { EpochMetrics, Interval, TrialHistory } from "../../record/index.ts";
import { short } from "../format.ts";
import { curveOf, type Measure, secondsOf } from "./arms.ts";

type Values = readonly (number | null)[];

interface Side {
  readonly low: Values;
  readonly high: Values;
}

/** Kinds of band over the seeds. */
export const BANDS = ["range", "interval", "sd"] as const;

/** Index 0 is the first epoch that has a value. */
export interface MeasuredCurve {
  readonly epochs: readonly number[];
  readonly seconds: readonly number[];
  readonly mean: readonly number[];
  /** Of all seeds at all epochs. */
  readonly least: number;
  readonly greatest: number;
  /** Seeds that have a value. */
  readonly n: readonly number[];
  /** The last mean. */
  readonly last: number;
  /** In as many digits as a figure shows. */
  readonly drawn: {
    readonly seconds: readonly number[];
    readonly mean: Values;
    /** Each worked out when it is first asked for, as a page shows one of them. */
    readonly bands: Readonly<Record<(typeof BANDS)[number], Side>>;
  };
}

interface Kept {
  readonly of: readonly (readonly EpochMetrics[])[];
  readonly curves: Partial<Record<Measure, MeasuredCurve | null>>;
  readonly clock: readonly number[];
}

/** By the lines of an arm's first seed, which are another array as soon as there is one more. */
const KEPT = new WeakMap<readonly EpochMetrics[], Kept>();

/** The curve of an arm's trials; null where none has a value. */
export function measuredCurve(
  trials: readonly TrialHistory[],
  measure: Measure,
): MeasuredCurve | null {
  const of = trials.map(({ metrics }) => metrics);
  const [first] = of;
  if (!first) return null;
  const found = KEPT.get(first);
  const isSame =
    found && found.of.length === of.length && found.of.every((metrics, i) => metrics === of[i]);
  const kept = isSame ? found : { of, curves: {}, clock: clockOf(trials) };
  KEPT.set(first, kept);
  const curve = kept.curves[measure];
  if (curve !== undefined) return curve;
  kept.curves[measure] = work(kept, measure);
  return kept.curves[measure];
}

const clockOf = (trials: readonly TrialHistory[]) =>
  secondsOf(
    trials,
    greatestOf([0, ...trials.map(({ metrics }) => curveOf(metrics, "trainLoss").length)]),
  );

function work({ of, clock }: Kept, measure: Measure): MeasuredCurve | null {
  const own = of.map((metrics) => curveOf(metrics, measure));
  const valuesAt = (epoch: number) => {
    const values: number[] = [];
    for (const curve of own) {
      const value = curve[epoch - 1];
      if (value !== null && value !== undefined) values.push(value);
    }
    return values;
  };
  // Not every epoch may have been validated: the line goes from one that was to the next.
  const epochs: number[] = [];
  const means: number[] = [];
  const n: number[] = [];
  const range = { low: [] as number[], high: [] as number[] };
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let epoch = 1; epoch <= clock.length; epoch++) {
    const values = valuesAt(epoch);
    if (values.length === 0) continue;
    const [low, high] = [leastOf(values), greatestOf(values)];
    epochs.push(epoch);
    means.push(mean(values));
    n.push(values.length);
    range.low.push(short(low));
    range.high.push(short(high));
    [least, greatest] = [Math.min(least, low), Math.max(greatest, high)];
  }
  const last = means.at(-1);
  if (last === undefined) return null;
  const seconds = epochs.map((epoch) => at(clock, epoch - 1, "seconds"));
  const side = (of: (values: readonly number[], centre: number) => Interval | null): Side => {
    const ends = epochs.map((epoch, i) => of(valuesAt(epoch), at(means, i, "means")));
    return {
      low: ends.map((end) => short(end?.low ?? null)),
      high: ends.map((end) => short(end?.high ?? null)),
    };
  };
  const bands = lazily({
    range: () => range,
    interval: () => side((values) => tInterval(values)),
    sd: () =>
      side((values, centre) => {
        const sd = standardDeviation(values);
        return sd === null ? null : { low: centre - sd, high: centre + sd };
      }),
  });
  return {
    ...{ epochs, seconds, mean: means, least, greatest, last, n },
    drawn: {
      seconds: seconds.map((value) => Math.round(value * 10) / 10),
      mean: means.map((value) => short(value)),
      bands,
    },
  };
}

/** An object whose fields are worked out when they are first read. */
function lazily<K extends string, T>(fields: Readonly<Record<K, () => T>>): Readonly<Record<K, T>> {
  const made = {} as Record<K, T>;
  for (const [name, work] of Object.entries<() => T>(fields)) {
    let value: T | undefined;
    Object.defineProperty(made, name, {
      enumerable: true,
      get() {
        value ??= work();
        return value;
      },
    });
  }
  return made;
}

/** Some of a curve's bands, still worked out when they are read. */
export const bandsOf = <K extends (typeof BANDS)[number]>(
  { drawn }: MeasuredCurve,
  names: readonly K[],
): Readonly<Record<K, Side>> =>
  lazily(
    Object.fromEntries(names.map((name) => [name, () => drawn.bands[name]])) as Record<
      K,
      () => Side
    >,
  );
