/**
 * @file Experiments whose truth is known, drawn at random and summarised by the product's own `summarize`: how
 * often it claims what is not so, how often its intervals hold what they should. Equal cells give equal counts.
 */

import { pairOf, summarize } from "../../src/analysis/index.ts";
import { type RandomStream, randomStream } from "../../src/core/random.ts";
import { type ExperimentRecord, packAnswers, type TrialHistory } from "../../src/record/index.ts";
import { fakeExperiment } from "../report/fake-records.ts";
import { trial } from "../report/measured.ts";

/** What one cell of the tables is drawn from. */
export interface Cell {
  readonly arms: number;
  readonly seeds: number;
  /** Of an arm about its mean: all alike, or the first arm alone skewed. */
  readonly noise: "normal" | "heavy tails" | "skewed" | "one skewed" | "uneven";
  /** What the first arm is better by, in standard deviations of a paired difference. */
  readonly effect?: number;
  /** Trials without an end: those of hard seeds, or those that a median rule prunes. */
  readonly missing?: "hard seeds" | "pruned";
  /** Images that an accuracy is counted over; default 5,000. */
  readonly images?: number;
  /** Arms differ in which images they get right, by so many logits, and are equal over all images. */
  readonly taste?: number;
}

/** Parts of all experiments of a cell. */
export interface Rates {
  /** Any pair is called apart, if need be on a condition, that is not so, or the wrong way round. */
  readonly false: number;
  /** The same, claimed for other images as well. */
  readonly falseBeyond: number;
  /** The conclusion says so of its leader. */
  readonly falseSentence: number;
  /** The first pair is rightly called apart, without a condition. */
  readonly found: number;
  /** The leader is behind the next on the seeds that both finished. */
  readonly leaderBehind: number;
  /** "too small to chase", though more than a point lies between the two. */
  readonly falselyNegligible: number;
  /** Intervals of the first pair, and of the second arm, that hold the truth; null without any. */
  readonly pairCoverage: number | null;
  readonly armCoverage: number | null;
}

/** Standard deviation of an arm's accuracy about what its seed gives. */
export const NOISE = 0.015;
export const CENTRE = 0.7;
const MARGIN = 0.01;

export function simulate(cell: Cell, experiments: number, key = 0): Rates {
  const { arms, seeds, effect = 0, images = 5000 } = cell;
  const shift = effect * NOISE * Math.SQRT2;
  const names = Array.from({ length: arms }, (_, i) => `arm${i}`);
  const experiment = experimentOf(names, seeds, images);
  const count = {
    false: 0,
    falseBeyond: 0,
    falseSentence: 0,
    found: 0,
    leaderBehind: 0,
    falselyNegligible: 0,
  };
  const covered = { pair: 0, pairs: 0, arm: 0, ofArms: 0 };
  for (let number = 0; number < experiments; number++) {
    const draw = drawing(key, number);
    const summary = summarize(
      experiment,
      cell.taste === undefined ? trialsOf(cell, draw) : pictured(cell, draw),
      { targets: [] },
    );
    const truth = (name: string) => (name === "arm0" ? shift : 0);
    const pairs = summary.pairs!;
    const wrong = pairs.filter(
      ({ verdict, mean, a, b }) => verdict !== "open" && mean! * (truth(a) - truth(b)) <= 0,
    );
    if (wrong.length > 0) count.false++;
    if (wrong.some(({ overImages }) => overImages && overImages.adjustedP < 0.05))
      count.falseBeyond++;
    const leader = /^After \S+ epochs? (arm\d) leads .* ahead of (arm\d)/.exec(summary.conclusion!);
    const [, first, next] = leader ?? [];
    const gap = first && next ? truth(first) - truth(next) : 0;
    if (first && /That is more than chance/.test(summary.conclusion!) && gap <= 0)
      count.falseSentence++;
    if (first && next && pairOf(pairs, first, next)!.mean! < 0) count.leaderBehind++;
    if (/too small to chase/.test(summary.conclusion!) && Math.abs(gap) > MARGIN)
      count.falselyNegligible++;
    const [one] = pairs;
    if (one?.verdict === "apart" && one.mean! > 0 && shift > 0) count.found++;
    if (one?.interval) {
      covered.pairs++;
      if (one.interval.low <= shift && shift <= one.interval.high) covered.pair++;
    }
    const of = summary.optimizers[1]?.finalValidationAccuracy.interval;
    if (of && cell.taste === undefined) {
      covered.ofArms++;
      if (of.low <= CENTRE && CENTRE <= of.high) covered.arm++;
    }
  }
  const rates = Object.fromEntries(
    Object.entries(count).map(([name, n]) => [name, n / experiments]),
  );
  return {
    ...(rates as Omit<Rates, "pairCoverage" | "armCoverage">),
    pairCoverage: covered.pairs === 0 ? null : covered.pair / covered.pairs,
    armCoverage: covered.ofArms === 0 ? null : covered.arm / covered.ofArms,
  };
}

export function experimentOf(
  names: readonly string[],
  seeds: number,
  images: number,
): ExperimentRecord {
  const base = fakeExperiment({ epochs: 1, seeds });
  const [first] = base.dataset.classes;
  const half = Math.floor(images / 2);
  return {
    ...base,
    dataset: {
      ...base.dataset,
      classes: [half, images - half].map((validation) => ({ ...first!, validation })),
    },
    arms: names.map((name) => ({ ...base.arms[0]!, name, slug: name })),
  };
}

interface Drawing {
  normal(): number;
  uniform(): number;
}

export function drawing(key: number, number: number): Drawing {
  const stream: RandomStream = randomStream(key, "synthetic", 11, number);
  const uniform = () => 1 - stream.uniform();
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** Of mean 0 and deviation 1, but for "uneven", whose deviation is 1 on average. */
function noiseOf({ noise }: Cell, arm: number, { normal, uniform }: Drawing): number {
  if (noise === "skewed" || (noise === "one skewed" && arm === 0)) return 1 + Math.log(uniform());
  // Student's t with three degrees of freedom.
  if (noise === "heavy tails")
    return normal() / Math.sqrt(normal() ** 2 + normal() ** 2 + normal() ** 2);
  return noise === "uneven" ? normal() * (arm % 2 === 0 ? 0.5 : 1.5) : normal();
}

/** A seed moves all arms alike; each has noise of its own. */
function trialsOf(cell: Cell, draw: Drawing): TrialHistory[] {
  const { arms, seeds, effect = 0, missing, images = 5000 } = cell;
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) => {
    const hardness = draw.normal();
    const ends = Array.from({ length: arms }, (_, arm) => {
      const noise = noiseOf(cell, arm, draw);
      const better = arm === 0 ? effect * NOISE * Math.SQRT2 : 0;
      const accuracy = CENTRE + better + 0.02 * hardness * (missing ? 1 : 0.5) + NOISE * noise;
      return { accuracy, early: better / NOISE + 0.6 * noise + 0.8 * draw.normal() };
    });
    return ends.map(({ accuracy, early }, arm) => {
      const others = ends.filter((_, other) => other !== arm).map((end) => end.early);
      const isPruned = missing === "pruned" && arms > 2 && early < medianOf(others);
      const fails =
        missing === "hard seeds" && (arm === 1 ? hardness < -0.4 : draw.uniform() < 0.1);
      const counted = Math.round(accuracy * images) / images;
      const status = isPruned ? "pruned" : fails ? "failed" : "done";
      return trial(`arm${arm}`, seed, status === "done" ? [counted] : [], { status, epochs: 1 });
    });
  });
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle)
    ? (sorted[middle - 1]! + sorted[middle]!) / 2
    : sorted[Math.floor(middle)]!;
}

/**
 * An image has a difficulty, an arm a taste for it, and a seed noise of its own: the arms are equal over all
 * images there are, and differ on those that were drawn.
 */
function pictured({ arms, seeds, images = 5000, taste = 0 }: Cell, draw: Drawing): TrialHistory[] {
  const difficulty = Float64Array.from({ length: images }, () => 1.5 + 2 * draw.normal());
  return Array.from({ length: arms }, (_, arm) => {
    const own = difficulty.map((of) => of + taste * draw.normal());
    return Array.from({ length: seeds }, (__, seed) => {
      const right = Uint8Array.from(own, (logit) =>
        draw.uniform() < 1 / (1 + Math.exp(-(logit + draw.normal()))) ? 1 : 0,
      );
      const accuracy = right.reduce((sum, one) => sum + one, 0) / images;
      const rightAnswers = packAnswers(right, 1)!;
      return trial(`arm${arm}`, seed, [accuracy], { epochs: 1, rightAnswers });
    });
  }).flat();
}
