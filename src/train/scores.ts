/** @file What is said of an evaluation class by class, where accuracy alone flatters uneven classes. */

import { at } from "../core/at.ts";

/**
 * Counts of one evaluation: rows are true classes, columns answers. Of more than a thousand classes a row
 * holds the answers alone that were given, as most never are.
 */
export type ConfusionCounts = readonly (readonly number[])[];

/** Of 100,000 classes all pairs would be 80 GB. */
const MOST_DENSE = 1_000;

/** Nothing counted yet. */
export const noConfusion = (classes: number): number[][] =>
  Array.from({ length: classes }, () =>
    classes <= MOST_DENSE ? new Array<number>(classes).fill(0) : [],
  );

/** Accuracy of each class; null where it has no image. */
export const perClassAccuracy = (confusion: ConfusionCounts): (number | null)[] =>
  confusion.map((row, label) => {
    const images = Object.values(row).reduce((sum, count) => sum + count, 0);
    return images === 0 ? null : (row[label] ?? 0) / images;
  });

/**
 * Mean over the classes of their accuracies, as scikit-learn's balanced_accuracy_score; classes without
 * images are left out, and it is null where there are no others.
 */
export function balancedAccuracy(perClass: readonly (number | null)[]): number | null {
  const present = perClass.filter((value) => value !== null);
  if (present.length === 0) return null;
  return present.reduce((sum, value) => sum + value, 0) / present.length;
}

/**
 * Weights n / (K n_c), for n images of K classes, n_c of them of class c: each class weighs the same in
 * the loss, and the weights' mean over the images is 1. As scikit-learn's "balanced". A class without
 * images weighs 0.
 */
export function balancedWeights(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of Array.from(labels)) counts[label] = at(counts, label, "classes") + 1;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
}

/** The class of the greatest probability in a row of (rows, classes); of equals the first. */
export function likeliestClass(
  probabilities: ArrayLike<number>,
  { row, classes }: { readonly row: number; readonly classes: number },
): number {
  const of = (k: number) => probabilities[row * classes + k] ?? 0;
  let best = 0;
  for (let k = 1; k < classes; k++) if (of(k) > of(best)) best = k;
  return best;
}
