/** @file The least and the greatest of however many numbers: Math.min(...list) ends at about 120,000. */

/** Infinity of none, as of Math.min. */
export const leastOf = (values: readonly number[]): number =>
  values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);

/** -Infinity of none, as of Math.max. */
export const greatestOf = (values: readonly number[]): number =>
  values.reduce((greatest, value) => Math.max(greatest, value), Number.NEGATIVE_INFINITY);
