/** @file The standard normal distribution. */

/** Density. */
export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** Below this the series is exact to rounding; above, the continued fraction is. */
const SERIES_BOUND = 3;

/**
 * P(Z <= x). Near the centre the series phi(x) (x + x^3/3 + x^5/15 + ...), in the tails Laplace's
 * continued fraction: Abramowitz and Stegun, 26.2.11 and 26.2.14. Relative error below 1e-13, in
 * the tails as well.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x > SERIES_BOUND) return 1 - normalCdf(-x);
  if (x >= -SERIES_BOUND) {
    let term = x;
    let sum = x;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
      term *= (x * x) / k;
      sum += term;
    }
    return 0.5 + normalDensity(x) * sum;
  }
  let fraction = -x;
  for (let k = 60; k >= 1; k--) fraction = -x + k / fraction;
  return normalDensity(x) / fraction;
}

/** The x with P(Z <= x) = p, by bisection on the CDF. -Infinity at 0, Infinity at 1, NaN outside. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 1) return Number.POSITIVE_INFINITY;
  if (p > 0.5) return -normalQuantile(1 - p);
  let low = -39;
  let high = 0;
  while (high - low > 1e-15 * Math.max(1, -low)) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
