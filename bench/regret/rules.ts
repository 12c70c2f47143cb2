/**
 * @file The rules that are judged: each with the smoothing and the end of the tool that it comes from, and
 * none with a guard that the tool has not.
 */

import { accuracyElbow } from "../../src/analysis/range-test/accuracy-elbow.ts";
import type { RangeTestRun } from "../../src/analysis/range-test/curves.ts";
import {
  minimumOverTen,
  RATE_FACTORS,
  slide,
  valley,
} from "../../src/analysis/range-test/rules.ts";
import { smooth } from "../../src/analysis/range-test/smoothing.ts";
import { suggest } from "../../src/analysis/range-test/suggest.ts";
import type { TestLine } from "./surface.ts";

/** A suggested rate of one test, or of several that are read together; null where the rule gives none. */
export type Rule = (tests: readonly [TestLine, ...TestLine[]]) => number | null;

export interface RawCurve {
  readonly lrs: readonly number[];
  /** Finite, one an update. */
  readonly losses: readonly number[];
  readonly accuracies: readonly number[];
}

/** Up to the first loss that is not finite. */
export function rawCurve(test: TestLine): RawCurve {
  const { losses, accuracies } = test;
  const { from, to, updates } = rampOf(test);
  const end = losses.indexOf(null);
  const count = end < 0 ? losses.length : end;
  return {
    lrs: Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (updates - 1))),
    losses: losses.slice(0, count) as number[],
    accuracies: accuracies.slice(0, count) as number[],
  };
}

/** Ends and length of the ramp as it was measured. */
export const rampOf = ({ from, to, updates, ramp }: TestLine) =>
  ramp ?? { from: from as number, to: to as number, updates };

/** Smoothed, and ended once the loss is so many times its least, as the tools end theirs. */
function curve(test: TestLine, kind: "published" | "bias-corrected", stopFactor: number) {
  const { lrs, losses, accuracies } = rawCurve(test);
  const smoothed = smooth(losses, { kind }) as number[];
  let least = Number.POSITIVE_INFINITY;
  let count = smoothed.length;
  for (const [i, loss] of smoothed.entries()) {
    least = Math.min(least, loss);
    if (loss > stopFactor * least) {
      count = i + 1;
      break;
    }
  }
  const to = (values: readonly number[]) => values.slice(0, count);
  return { lrs: to(lrs), losses: to(smoothed), accuracies: to(accuracies) };
}

const published = (test: TestLine) => curve(test, "published", Number.POSITIVE_INFINITY);
const fastai = (test: TestLine) => curve(test, "bias-corrected", 4);

const differences = (values: readonly number[]): number[] =>
  values.map((_, i) => {
    const [from, to] = [Math.max(0, i - 1), Math.min(values.length - 1, i + 1)];
    return ((values[to] as number) - (values[from] as number)) / (to - from);
  });

/** The rate of the least gradient over the points from `first` to `last` of the end. */
function steepestOf(
  { lrs, losses }: { lrs: readonly number[]; losses: readonly number[] },
  first: number,
  last: number,
): number | null {
  const slopes = differences(losses.slice(first, losses.length - last));
  if (slopes.length < 2) return null;
  return lrs[first + slopes.indexOf(Math.min(...slopes))] as number;
}

/** What the product suggests of one test, and null where it says that it cannot. */
const own =
  (use: "constant" | "peak"): Rule =>
  (tests) => {
    const { from, to } = rampOf(tests[0]);
    return suggest(tests.map(runOf), { from, to }).suggestion?.[use].rate ?? null;
  };

function runOf(test: TestLine): RangeTestRun {
  const { lrs, losses, accuracies } = rawCurve(test);
  const diverged = lrs.length < test.losses.length;
  const points = lrs.map((lr, update) => {
    const loss = losses[update] as number;
    return { update, lr, loss, smoothedLoss: loss, accuracy: accuracies[update] as number };
  });
  const { to: lr } = rampOf(test);
  const end = { update: lrs.length, lr, loss: null, smoothedLoss: null, accuracy: null };
  return { seed: test.seed, points: diverged ? [...points, end] : points };
}

/** A rate times a factor. */
const times =
  (factor: number, rule: Rule): Rule =>
  (tests) => {
    const rate = rule(tests);
    return rate === null ? null : factor * rate;
  };

/** As the 2019 publication: a tenth of the rate of the least loss. */
const tenth: Rule = ([test]) => minimumOverTen(published(test));
/** As fastai 2.x, with its smoothing and its end at four times the least loss. */
const fastaiValley: Rule = ([test]) => valley(fastai(test));
/** Where the loss has made four fifths of its fall; what the product's factors are of. */
export const flank: Rule = times(1 / RATE_FACTORS.fall.constant, own("constant"));

/** For a rate that does not change. */
export const RULES = {
  lrscope: own("constant"),
  "minimum/10": tenth,
  valley: fastaiValley,
  slide: ([test]) => slide(fastai(test)),
  /** As pytorch-lr-finder 0.2.x: smoothed by 0.05, ended at five times the least, ten and five points left out. */
  steepest: ([test]) => steepestOf(curve(test, "published", 5), 10, 5),
  /** As Lightning 2.x: the loss smoothed by 0.02, ended at four times the least, ten points and one left out. */
  gradient: ([test]) => steepestOf(fastai(test), 10, 1),
  /** The knee of the accuracy, by the article on cyclical rates. */
  elbow: ([test]) => {
    const { lrs, accuracies } = published(test);
    return accuracyElbow(lrs, accuracies)?.maxLr ?? null;
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** For the peak of a cycle: the same, and the two best of them with what a peak bears more. */
export const PEAK_RULES = {
  ...RULES,
  lrscope: own("peak"),
  "minimum/10, times 3": times(3, tenth),
  "valley, times 3": times(3, fastaiValley),
} as const satisfies Readonly<Record<string, Rule>>;
