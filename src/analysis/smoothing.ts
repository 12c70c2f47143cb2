/** @file Exponential smoothing of a range test's loss. */

/** Weight of the newest loss. */
export const SMOOTHING_WEIGHT = 0.05;

/**
 * A smoother to be fed one loss at a time: `s = w * loss + (1 - w) * s`, from the first loss; no
 * bias correction. It is not meant for a loss that is not finite: stop there.
 */
export function smoothing(weight = SMOOTHING_WEIGHT): (loss: number) => number {
  let smoothed: number | undefined;
  return (loss) => {
    smoothed = smoothed === undefined ? loss : weight * loss + (1 - weight) * smoothed;
    return smoothed;
  };
}

/** The same for a whole curve. A value that is not finite ends it: it and all after it are null. */
export function smooth(
  losses: readonly (number | null)[],
  weight = SMOOTHING_WEIGHT,
): (number | null)[] {
  const next = smoothing(weight);
  let ended = false;
  return losses.map((loss) => {
    ended ||= loss === null || !Number.isFinite(loss);
    return ended ? null : next(loss!);
  });
}
