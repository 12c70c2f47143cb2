/** @file How many seeds a paired comparison needs: the power of the t test. */

import { logGamma } from "./incomplete-beta.ts";
import { normalCdf } from "./normal.ts";
import { twoSidedT } from "./student-t.ts";

/** Significance level and power that the recommendations are made for. */
export const ALPHA = 0.05;
export const POWER = 0.8;
/** More seeds than this are not worth naming. */
const MOST_SEEDS = 10_000;

/**
 * Probability that a two-sided paired t test at 0.05 over n seeds rejects, where the true mean
 * difference is `effect` standard deviations of the differences: the tails of the noncentral t with
 * n - 1 degrees of freedom and noncentrality effect sqrt(n), integrated over the chi distribution of
 * the sample deviation by Simpson's rule.
 */
export function pairedPower(effect: number, n: number): number {
  const df = n - 1;
  const critical = twoSidedT(1 - ALPHA, df);
  const shift = effect * Math.sqrt(n);
  // s is the sample deviation over the true one: density 2 (df/2)^(df/2) / Gamma(df/2) s^(df-1) exp(-df s^2 / 2)
  const logFront = Math.LN2 + (df / 2) * Math.log(df / 2) - logGamma(df / 2);
  const density = (s: number) =>
    s === 0 && df > 1 ? 0 : Math.exp(logFront + (df - 1) * Math.log(s || 1) - (df * s * s) / 2);
  const rejects = (s: number) => normalCdf(shift - critical * s) + normalCdf(-shift - critical * s);
  const reach = 10 / Math.sqrt(2 * df);
  const low = Math.max(0, 1 - reach);
  const intervals = 1000;
  const step = (1 + reach - low) / intervals;
  let sum = 0;
  for (let i = 0; i <= intervals; i++) {
    const s = low + i * step;
    const weight = i === 0 || i === intervals ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * density(s) * rejects(s);
  }
  return (sum * step) / 3;
}

/**
 * Least n, from 2 on, at which pairedPower(effect, n) reaches 0.8; null for an effect of 0, or where
 * more than 10,000 would be needed.
 */
export function seedsNeeded(effect: number): number | null {
  const size = Math.abs(effect);
  if (!(size > 0)) return null;
  let high = 2;
  while (pairedPower(size, high) < POWER) {
    if (high >= MOST_SEEDS) return null;
    high = Math.min(2 * high, MOST_SEEDS);
  }
  let low = Math.max(1, Math.floor(high / 2));
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (pairedPower(size, middle) < POWER) low = middle;
    else high = middle;
  }
  return high;
}
