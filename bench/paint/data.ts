/** @file What each library draws: curves of four measures, of so many arms, seeds and epochs; the same for all. */

export const [ARMS, SEEDS, EPOCHS] = [40, 5, 500];
export const MEASURES = [
  "validationAccuracy",
  "trainAccuracy",
  "validationLoss",
  "trainLoss",
] as const;
export type Measure = (typeof MEASURES)[number];

/** Uniform in 0 .. 1, from a seed: mulberry32. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A measure of one seed of an arm at an epoch from 1. */
export type CurveOf = (arm: number, seed: number, epoch: number, measure: Measure) => number;

/** Curves that rise to about 0.9, and losses beside them; the k-th drawing of one has no other values than the first. */
export function curves(): CurveOf {
  const next = uniforms(7);
  const noise = Float64Array.from(
    { length: ARMS * SEEDS * (EPOCHS + 200) * MEASURES.length },
    next,
  );
  return (arm, seed, epoch, measure) => {
    const place = ((arm * SEEDS + seed) * (EPOCHS + 200) + epoch) * MEASURES.length;
    const wobble = noise[place + MEASURES.indexOf(measure)] ?? 0;
    const level = 0.3 + 0.6 * (1 - Math.exp(-epoch / 80)) - arm * 0.004;
    return measure.endsWith("Accuracy") ? level - 0.03 * wobble : 1.1 - level + 0.1 * wobble;
  };
}

/** One chart's lists, as libraries for charts take them. */
export interface ChartData {
  readonly epochs: number[];
  readonly arms: readonly {
    readonly mean: number[];
    readonly low: number[];
    readonly high: number[];
    readonly seeds: readonly number[][];
  }[];
}

/** Mean and extremes over the seeds are worked out here, outside of what is timed: peers are given them. */
export function chartData(of: CurveOf, measure: Measure, epochs = EPOCHS): ChartData {
  const list = Array.from({ length: epochs }, (_, i) => i + 1);
  return {
    epochs: list,
    arms: Array.from({ length: ARMS }, (_, arm) => {
      const seeds = Array.from({ length: SEEDS }, (_, seed) =>
        list.map((epoch) => of(arm, seed, epoch, measure)),
      );
      const at = (work: (...values: number[]) => number) =>
        list.map((_, i) => work(...seeds.map((values) => values[i] ?? 0)));
      return {
        seeds,
        mean: at((...values) => values.reduce((sum, value) => sum + value, 0) / values.length),
        low: at(Math.min),
        high: at(Math.max),
      };
    }),
  };
}

export const colourOf = (arm: number) => `hsl(${(arm * 137) % 360} 60% 45%)`;
