/**
 * @file A difference between two arms over seeds and images at once. Seeds that are tried on the same images
 * agree on what those images happen to favour, however many they are; another set of images would favour
 * something else. Two-way random effects without replication: S. R. Searle, G. Casella and C. E. McCulloch,
 * "Variance Components" (1992), chapter 4; degrees of freedom after F. E. Satterthwaite, "An approximate
 * distribution of estimates of variance components", Biometrics Bulletin 2 (1946) 110-114.
 */

import type { Interval } from "../../record/index.ts";
import { LEAST_VALUES, LEVEL, twoSidedP, twoSidedT } from "./student-t.ts";

export interface OverImages {
  readonly images: number;
  /** 95%, of what other seeds and other images of the kind would give. */
  readonly interval: Interval;
  /** Two-sided. */
  readonly p: number;
}

/**
 * The mean over seeds s and images i of d(s, i), 1 where only the first arm is right, -1 where only the
 * second is, with the variance of seeds, images and what is left:
 *
 *   var = MSseeds / (S n) + MSimages / (S n) - MSleft / (S n),  at least the greater of the first two
 *
 * @param first one array a seed, 0 or 1 an image; @param second of the same seeds and images
 * @returns null below three seeds or two images
 */
export function overImages(
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
): OverImages | null {
  const seeds = first.length;
  const images = first[0]?.length ?? 0;
  if (seeds < LEAST_VALUES || images < 2) return null;
  const ofSeed = new Float64Array(seeds);
  const ofImage = new Float64Array(images);
  let squares = 0;
  for (let s = 0; s < seeds; s++) {
    const [a, b] = [first[s]!, second[s]!];
    for (let i = 0; i < images; i++) {
      const d = a[i]! - b[i]!;
      ofSeed[s]! += d;
      ofImage[i]! += d;
      squares += d * d;
    }
  }
  const cells = seeds * images;
  const total = ofSeed.reduce((sum, value) => sum + value, 0);
  const correction = (total * total) / cells;
  const sumOfSquares = (sums: Float64Array, each: number) =>
    sums.reduce((sum, value) => sum + value * value, 0) / each - correction;
  const [seedSquares, imageSquares] = [sumOfSquares(ofSeed, images), sumOfSquares(ofImage, seeds)];
  const left = Math.max(0, squares - correction - seedSquares - imageSquares);
  const parts = [
    { square: seedSquares / (seeds - 1), df: seeds - 1 },
    { square: imageSquares / (images - 1), df: images - 1 },
    { square: left / ((seeds - 1) * (images - 1)), df: (seeds - 1) * (images - 1) },
  ] as const;
  const [ofSeeds, ofImages, ofRest] = parts;
  // One image more on one side is the least that could have been: without any, nothing is certain.
  const least = 1 / (images * images * seeds);
  const variance = Math.max(
    (ofSeeds.square + ofImages.square - ofRest.square) / cells,
    ofSeeds.square / cells,
    ofImages.square / cells,
    least,
  );
  const satterthwaite = parts.reduce((sum, { square, df }) => sum + (square / cells) ** 2 / df, 0);
  const df = satterthwaite === 0 ? seeds - 1 : Math.max(1, variance ** 2 / satterthwaite);
  const centre = total / cells;
  const error = Math.sqrt(variance);
  const half = error * twoSidedT(LEVEL, df);
  return {
    images,
    interval: { low: Math.max(-1, centre - half), high: Math.min(1, centre + half) },
    p: twoSidedP(centre / error, df),
  };
}
