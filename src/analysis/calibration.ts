/** @file Whether a network is right as often as it says: of its answers, confidence against accuracy. */

import { at } from "../core/at.ts";
import type { Calibration } from "../record/index.ts";

/** As many as in the paper. */
export const CALIBRATION_BINS = 15;

export interface Answered {
  /** Probability of the answer, in 0 .. 1. */
  readonly confidence: number;
  readonly right: boolean;
}

/**
 * The expected calibration error over bins of equal width: sum over the bins of
 * |accuracy - confidence| * images in it / images, both means of the bin.
 * Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017), equations 1 to 3 and 5:
 * arxiv.org/abs/1706.04599; after Naeini, Cooper and Hauskrecht (AAAI 2015).
 * @param bins how many; default 15. Bin m holds confidences in ((m - 1) / bins, m / bins]; 0 is in the first
 */
export function calibrationOf(answers: readonly Answered[], bins = CALIBRATION_BINS): Calibration {
  const sums = Array.from({ length: bins }, () => ({ images: 0, confidence: 0, right: 0 }));
  for (const { confidence, right } of answers) {
    const own = at(sums, Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1)), "bins");
    own.images++;
    own.confidence += confidence;
    own.right += right ? 1 : 0;
  }
  const all = sums.map(({ images, confidence, right }, i) => ({
    low: i / bins,
    high: (i + 1) / bins,
    images,
    confidence: images === 0 ? null : confidence / images,
    accuracy: images === 0 ? null : right / images,
  }));
  const gaps = sums.map(({ confidence, right }) => Math.abs(right - confidence));
  return {
    error: gaps.reduce((sum, gap) => sum + gap, 0) / Math.max(1, answers.length),
    greatest: sums.reduce(
      (most, { images }, i) => Math.max(most, images === 0 ? 0 : at(gaps, i, "gaps") / images),
      0,
    ),
    bins: all,
  };
}
