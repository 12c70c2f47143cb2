/**
 * @file How far a training run lies from the published ones: per curve and epoch the difference to their mean in
 * units of how much they differ among themselves; losses by their logarithms, as a first update of RMSprop
 * makes thousands of them.
 */

import { readFileSync } from "node:fs";
import { z } from "zod";

const runs = z.array(z.array(z.number().positive()));
const curves = z.strictObject({
  trainingLoss: runs,
  trainingAccuracy: runs,
  validationLoss: runs,
  validationAccuracy: runs,
});
export type CurveName = keyof z.infer<typeof curves>;
export const CURVES = Object.keys(curves.shape) as CurveName[];

/** A run's curves, null where an epoch has no finite value; index 0 is epoch 1. */
export type RunCurves = Readonly<Record<CurveName, readonly (number | null)[]>>;

const logged = z
  .record(z.string(), curves)
  .parse(JSON.parse(readFileSync(new URL("published.json", import.meta.url), "utf8")));

/** By arm, the article's three runs of epochs 1 to 30. */
export const published: typeof logged = Object.fromEntries(
  Object.entries(logged).map(([arm, all]) => [
    arm,
    { ...all, validationLoss: all.validationLoss.map(perImage) },
  ]),
);

/** One run of Adam was logged with the validation loss divided by the batch of 64 once more: 0.0217 beside 1.28. */
function perImage(losses: readonly number[]): number[] {
  const factor = losses[0]! < 0.1 ? 64 : 1;
  return losses.map((loss) => loss * factor);
}

const scale = (curve: CurveName, value: number) =>
  curve.endsWith("Loss") ? Math.log(value) : value;

/** Least spreads: what one epoch's three runs happen to agree in is no precision. */
const LEAST: Readonly<Record<CurveName, number>> = {
  trainingLoss: 0.02,
  trainingAccuracy: 0.006,
  validationLoss: 0.05,
  validationAccuracy: 0.02,
};

interface Moments {
  readonly mean: number;
  readonly spread: number;
}

/** Epochs on either side whose spread is taken together with an epoch's own: three runs alone may agree by chance. */
const BESIDE = 4;

/** Mean of the given runs at one epoch, and their standard deviation about it, over the epochs beside it too. */
function moments(curve: CurveName, runsOf: readonly (readonly number[])[], epoch: number): Moments {
  let [mean, square, count] = [0, 0, 0];
  for (let at = Math.max(1, epoch - BESIDE); at <= epoch + BESIDE; at++) {
    const values = runsOf.flatMap((run) => {
      const value = run[at - 1];
      return value === undefined ? [] : [scale(curve, value)];
    });
    if (values.length < 2) continue;
    const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
    if (at === epoch) mean = centre;
    square += values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
    count += values.length - 1;
  }
  return { mean, spread: Math.max(LEAST[curve], Math.sqrt(square / count)) };
}

/**
 * Root mean square, over the epochs that both have, of (ours - their mean) / their spread. A fourth run of the same
 * kind is at about sqrt(1 + 1/3) = 1.15 where the spread is known well.
 * @param left of the published runs, that which is left out: to see how far they are from each other
 * @returns null where nothing can be compared
 */
export function distance(
  arm: string,
  curve: CurveName,
  ours: RunCurves,
  { from = 1, to = 30, left }: { from?: number; to?: number; left?: number } = {},
): number | null {
  const theirs = published[arm]?.[curve].filter((_, run) => run !== left);
  if (!theirs) return null;
  let [sum, count] = [0, 0];
  for (let epoch = from; epoch <= to; epoch++) {
    const value = ours[curve][epoch - 1];
    if (value === undefined || theirs.some((run) => run[epoch - 1] === undefined)) continue;
    // A loss that is not finite is further off than any that is.
    if (value === null) return Number.POSITIVE_INFINITY;
    const { mean, spread } = moments(curve, theirs, epoch);
    sum += ((scale(curve, value) - mean) / spread) ** 2;
    count++;
  }
  return count === 0 ? null : Math.sqrt(sum / count);
}

/** Of the published runs among themselves up to an epoch: each against the two others, the mean of the three. */
export function amongThemselves(arm: string, curve: CurveName, to: number): number {
  const runsOf = published[arm]![curve];
  const distances = runsOf.map((_, run) => {
    const one = Object.fromEntries(
      CURVES.map((name) => [name, published[arm]![name][run]!]),
    ) as unknown as RunCurves;
    return distance(arm, curve, one, { to, left: run })!;
  });
  return distances.reduce((total, each) => total + each, 0) / distances.length;
}
