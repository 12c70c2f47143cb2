/** @file The accuracy elbow: bounds of the learning rate off the accuracy of a range test. */

import { at } from "../../core/at.ts";
import { greatestOf } from "../../core/extremes.ts";

/** Part of the points on either side that a mean is taken over. */
const WINDOW = 1 / 40;

/** Part of the whole rise at which accuracy counts as rising. */
const RISING = 0.1;

/** A rise of the accuracy by less than this says nothing. */
const LEAST_RISE = 0.02;

export interface ElbowBounds {
  /** Rate where the accuracy begins to rise. */
  readonly baseLr: number;
  /** Rate where it slows, or where it is greatest if it does not slow before. */
  readonly maxLr: number;
}

/**
 * The two rates that the CLR paper's range test looks for: where the accuracy starts to increase
 * (base_lr), and where it slows, becomes ragged or starts to fall (max_lr). The paper leaves them to
 * the eye. Here, on the accuracy smoothed by a centred mean over a twentieth of the points, which
 * does not lag:
 *
 *   peak    the first greatest value
 *   base    the last point before it that has made no more than a tenth of the rise to it
 *   max     the knee: of the points from base to peak, the one farthest above the straight line
 *           between the two; the peak itself where none is above it
 *
 * Both ramps have equal steps on their own scale, linear or logarithmic, so the line is drawn over
 * the points' order: for a linear ramp that is the rate, as in the paper.
 *
 * null where the accuracy rises by less than 0.02, or there are fewer than ten points.
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section
 * 3.3; arxiv.org/abs/1506.01186. The knee as in Satopaa et al., "Finding a Kneedle in a Haystack",
 * 2011, section III.
 */
export function accuracyElbow(
  lrs: readonly number[],
  accuracies: readonly number[],
): ElbowBounds | null {
  if (lrs.length < 10) return null;
  const smooth = centredMeans(accuracies);
  const peak = smooth.indexOf(greatestOf(smooth));
  const rise = at(smooth, peak, "smooth") - at(smooth, 0, "smooth");
  if (!(rise >= LEAST_RISE)) return null;
  let base = peak;
  while (base > 0 && at(smooth, base, "smooth") > at(smooth, 0, "smooth") + RISING * rise)
    base -= 1;
  let [knee, farthest] = [peak, 0];
  for (let i = base + 1; i < peak; i++) {
    const part = (i - base) / (peak - base);
    const above =
      at(smooth, i, "smooth") -
      (at(smooth, base, "smooth") +
        part * (at(smooth, peak, "smooth") - at(smooth, base, "smooth")));
    if (above > farthest) [knee, farthest] = [i, above];
  }
  return { baseLr: at(lrs, base, "lrs"), maxLr: at(lrs, knee, "lrs") };
}

/** Means over a window around each value, which is smaller at the ends, and symmetric. */
function centredMeans(values: readonly number[]): number[] {
  const half = Math.max(1, Math.round(WINDOW * values.length));
  return values.map((_, i) => {
    const reach = Math.min(half, i, values.length - 1 - i);
    const part = values.slice(i - reach, i + reach + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
