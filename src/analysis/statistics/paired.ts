/** @file Two arms, seed by seed: the difference, and how much of it may be chance. */

import { at, get, present } from "../../core/at.ts";
import type { Interval, OptimizerSummary, PairedDifference, Spread } from "../../record/index.ts";
import { overImages } from "./over-images.ts";
import { ALPHA, seedsNeeded } from "./power.ts";
import { holm, leastSignFlipP, signFlipP } from "./sign-flip.ts";
import { roundingOf } from "./spread.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { tInterval, tTestP } from "./student-t.ts";

/** Fields of an arm's summary that arms can be compared by. */
export type Measure = {
  [K in keyof OptimizerSummary]-?: NonNullable<OptimizerSummary[K]> extends Spread ? K : never;
}[keyof OptimizerSummary];

/** The one that the records compare by. */
export const PRIMARY_MEASURE = "finalValidationAccuracy" satisfies Measure;

export interface PairingOptions {
  /** Default the final validation accuracy. */
  readonly measure?: Measure | undefined;
  /** That the measure is an accuracy over; default: it is none, or their number is not known. */
  readonly images?: number | undefined;
  /** One an image, 1 where the arm's weights of that seed answer rightly; default not known. */
  readonly answers?: ((arm: string, seed: number) => Uint8Array | null) | undefined;
}

/**
 * Every pair of arms once, the former in the order given minus the latter, over the seeds that both
 * have a value for. The p that are called adjusted, and the verdicts, hold over all the pairs together.
 */
export function pairedDifferences(
  optimizers: readonly OptimizerSummary[],
  options: PairingOptions = {},
): PairedDifference[] {
  const pairs = optimizers.flatMap((a, index) =>
    optimizers.slice(index + 1).map((b) => unadjusted(a, b, options)),
  );
  const [flips, ts, images] = [
    holm(pairs.map(({ p }) => p)),
    holm(pairs.map(({ tP = null }) => tP)),
    holm(pairs.map((pair) => pair.overImages?.p ?? null)),
  ];
  const comparisons = ts.filter((p) => p !== null).length;
  return pairs.map((pair, index) => {
    const [adjustedP, adjustedTP] = [at(flips, index, "flips"), at(ts, index, "ts")];
    return {
      ...pair,
      adjustedP,
      adjustedTP,
      verdict: verdictOf(adjustedTP, adjustedP),
      ...(pair.overImages
        ? {
            overImages: {
              ...pair.overImages,
              adjustedP: present(at(images, index, "images"), "p"),
            },
          }
        : {}),
      seedsNeeded: pair.sd
        ? seedsNeeded(get(pair, "mean", "pair") / pair.sd, Math.max(1, comparisons))
        : null,
    };
  });
}

/** One pair alone: what is called adjusted is not. */
export const pairedDifference = (
  a: OptimizerSummary,
  b: OptimizerSummary,
  options: PairingOptions = {},
): PairedDifference => at(pairedDifferences([a, b], options), 0, "pairs");

/**
 * The t test decides whether anything is claimed, the sign-flip test whether it needs the differences to be
 * about normal.
 */
function verdictOf(
  t: number | null,
  flips: number | null,
): NonNullable<PairedDifference["verdict"]> {
  if (t === null || t >= ALPHA) return "open";
  return flips !== null && flips < ALPHA ? "apart" : "apart if normal";
}

function unadjusted(
  a: OptimizerSummary,
  b: OptimizerSummary,
  { measure = PRIMARY_MEASURE, images, answers }: PairingOptions,
): PairedDifference {
  const [first, second] = [valuesBySeed(a, measure), valuesBySeed(b, measure)];
  const seeds = [...first.keys()].filter((seed) => second.has(seed)).sort((x, y) => x - y);
  const differences = seeds.map((seed) => get(first, seed, "first") - get(second, seed, "second"));
  const sd = standardDeviation(differences);
  const centre = differences.length === 0 ? null : mean(differences);
  const rounding = images === undefined ? 0 : 2 * roundingOf(images);
  const interval = tInterval(differences, { rounding });
  const p = signFlipP(differences);
  const tP = tTestP(differences, { rounding });
  const pair = {
    a: a.name,
    b: b.name,
    measure,
    seeds,
    differences,
    mean: centre,
    sd,
    interval: interval && (images === undefined ? interval : withinOne(interval)),
    p,
    adjustedP: p,
    leastP: p === null ? null : leastSignFlipP(seeds.length),
    tP,
    adjustedTP: tP,
    probability: centre === null ? null : mean(differences.map(win)),
    seedsNeeded: null,
  };
  const own = answers && answersOf(seeds, [a.name, b.name], answers);
  const over = own && overImages(own[0], own[1]);
  if (!over) return pair;
  // What would show beyond these images has to show on them: its p is not below that of the seeds alone.
  const beyond = Math.max(over.p, tP ?? 1);
  return { ...pair, overImages: { ...over, p: beyond, adjustedP: beyond } };
}

/** Accuracies differ by 1 at most. */
const withinOne = ({ low, high }: Interval): Interval => ({
  low: Math.max(-1, low),
  high: Math.min(1, high),
});

/** Of both arms, one a seed; null unless every seed has both, of the same images. */
function answersOf(
  seeds: readonly number[],
  [a, b]: readonly [string, string],
  answers: NonNullable<PairingOptions["answers"]>,
): [Uint8Array[], Uint8Array[]] | null {
  const both = [a, b].map((arm) => seeds.flatMap((seed) => answers(arm, seed) ?? []));
  const [first, second] = [at(both, 0, "both"), at(both, 1, "both")];
  const images = first[0]?.length;
  const whole =
    first.length === seeds.length &&
    second.length === seeds.length &&
    [...first, ...second].every(({ length }) => length === images);
  return whole ? [first, second] : null;
}

const win = (difference: number) => (difference > 0 ? 1 : difference === 0 ? 0.5 : 0);

/** What an arm has of the measure, by seed. */
export function valuesBySeed(
  optimizer: OptimizerSummary,
  measure: Measure = PRIMARY_MEASURE,
): Map<number, number> {
  const values = optimizer[measure]?.values ?? [];
  return new Map(
    optimizer.seeds.flatMap((seed, index) => {
      const value = values[index] ?? null;
      return value === null ? [] : [[seed, value] as const];
    }),
  );
}

/** The pair as first - second, whichever way it is recorded; undefined where there is none. */
export function pairOf(
  pairs: readonly PairedDifference[],
  first: string,
  second: string,
): PairedDifference | undefined {
  const found = pairs.find(
    ({ a, b }) => (a === first && b === second) || (a === second && b === first),
  );
  if (!found || found.a === first) return found;
  const { overImages: over } = found;
  return {
    ...found,
    a: first,
    b: second,
    differences: found.differences.map((difference) => 0 - difference),
    mean: found.mean === null ? null : 0 - found.mean,
    interval: found.interval && turned(found.interval),
    probability: found.probability === null ? null : 1 - found.probability,
    ...(over ? { overImages: { ...over, interval: turned(over.interval) } } : {}),
  };
}

const turned = ({ low, high }: Interval): Interval => ({ low: 0 - high, high: 0 - low });
