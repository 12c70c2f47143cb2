/** @file Exponential smoothing of a range test's loss. */

/** Weight of the newest loss. */
export const SMOOTHING_WEIGHT = 0.05;

/**
 * `s = w * loss + (1 - w) * s`, from `s = losses[0]`; no bias correction. A value that is not
 * finite ends the curve: it and all after it are null.
 */
export function smooth(
  losses: readonly (number | null)[],
  weight = SMOOTHING_WEIGHT,
): (number | null)[] {
  let smoothed: number | null = null;
  let ended = false;
  return losses.map((loss) => {
    ended ||= loss === null || !Number.isFinite(loss);
    if (ended) return null;
    smoothed = smoothed === null ? loss! : weight * loss! + (1 - weight) * smoothed;
    return smoothed;
  });
}
