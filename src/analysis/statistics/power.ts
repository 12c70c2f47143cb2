/** @file How many seeds a paired comparison needs: the power of the verdict that it is judged by. */

import { randomStream } from "../../core/random.ts";
import { logGamma } from "./incomplete-beta.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { twoSidedT } from "./student-t.ts";

/** Significance level and power that the recommendations are made for. */
export const ALPHA = 0.05;
export const POWER = 0.8;
/** More seeds than this are not worth naming. */
const MOST_SEEDS = 10_000;

/**
 * Probability that a two-sided paired t test at level `alpha` (default 0.05) over n seeds rejects, where the
 * true mean difference is `effect` standard deviations of the differences: the tails of the noncentral t with
 * n - 1 degrees of freedom and noncentrality effect sqrt(n), integrated over the chi distribution of
 * the sample deviation by Simpson's rule.
 */
export function pairedPower(effect: number, n: number, alpha = ALPHA): number {
  const df = n - 1;
  const critical = twoSidedT(1 - alpha, df);
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

/** Up to so many seeds the power of the verdict is counted over drawn differences; above, the t test's is near. */
const COUNTED = 14;
const DRAWS = 2_000;

/**
 * Probability that the verdict on a pair is "apart", where the differences are normal with a mean of `effect`
 * standard deviations: t test and sign-flip test both below 0.05 / comparisons, which is the most that
 * Holm's method asks of one pair. Up to 14 seeds the part of 2,000 drawn samples of which that is true, a
 * standard error of 0.009 at 0.8. Above, the t test's of one seed less: the sign-flip test, which has the power of
 * the t test in the limit (W. Hoeffding, "The large-sample power of tests based on permutations of
 * observations", Annals of Mathematical Statistics 23 (1952) 169-192), costs less than a seed from there on.
 */
export function verdictPower(effect: number, n: number, comparisons = 1): number {
  const alpha = ALPHA / comparisons;
  if (n > COUNTED) return pairedPower(effect, n - 1, alpha);
  // Of one half of all assignments of signs so many may be as extreme, and p still be below alpha.
  const allowed = Math.ceil(alpha * 2 ** (n - 1)) - 1;
  if (allowed < 1) return 0;
  const critical = twoSidedT(1 - alpha, n - 1);
  const noise = drawn(n);
  const values = new Float64Array(n);
  let apart = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    for (let i = 0; i < n; i++) values[i] = noise[draw * n + i]! + effect;
    if (isApart(values, critical, allowed)) apart++;
  }
  return apart / DRAWS;
}

/**
 * Whether |t| is greater than `critical`, and at most `allowed` assignments of signs, of one half of all, have
 * a sum as far from 0: as many as there are sets of values that may change sign, their sizes adding up to no
 * more than half of what the sum lacks.
 */
function isApart(values: Float64Array, critical: number, allowed: number): boolean {
  const n = values.length;
  let [sum, total, squares] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const value = values[i]!;
    sum += value;
    total += Math.abs(value);
    squares += value * value;
  }
  if (sum * sum * (n - 1) <= critical * critical * (n * squares - sum * sum)) return false;
  const sizes = values.map(Math.abs).sort();
  let count = 1;
  const walk = (from: number, left: number) => {
    for (let i = from; i < n && sizes[i]! <= left && count <= allowed; i++) {
      count++;
      walk(i + 1, left - sizes[i]!);
    }
  };
  walk(0, (total - Math.abs(sum)) / 2 + 1e-10 * total);
  return count <= allowed;
}

const noises = new Map<number, Float64Array>();

/** Standard normal values of the samples of n, by Box and Muller; always the same. */
function drawn(n: number): Float64Array {
  const known = noises.get(n);
  if (known) return known;
  const stream = randomStream(n, "bootstrap", 2);
  const values = Float64Array.from({ length: DRAWS * n }, () => {
    const size = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    return size * Math.cos(2 * Math.PI * stream.uniform());
  });
  noises.set(n, values);
  return values;
}

/** In standard deviations; with fewer seeds than suffice for such a one a verdict cannot be had. */
const GREATEST_EFFECT = 8;
const effects = new Map<string, number>();

/** The effect at which verdictPower reaches 0.8 with n seeds, by bisection; Infinity where none does. */
function leastEffect(n: number, comparisons: number): number {
  const key = `${n} ${comparisons}`;
  const known = effects.get(key);
  if (known !== undefined) return known;
  let [low, high] = [0, GREATEST_EFFECT];
  if (verdictPower(high, n, comparisons) < POWER) high = Number.POSITIVE_INFINITY;
  else
    while (high - low > 5e-3) {
      const middle = (low + high) / 2;
      if (verdictPower(middle, n, comparisons) < POWER) low = middle;
      else high = middle;
    }
  effects.set(key, high);
  return high;
}

/** From so many seeds on the normal test's count is the t test's to a hundredth. */
const MANY = 100;

/**
 * Least n at which the verdict has power 0.8; null for an effect of 0, or where more than 10,000 would be
 * needed.
 */
export function seedsNeeded(effect: number, comparisons = 1): number | null {
  const size = Math.abs(effect);
  if (!(size > 0)) return null;
  const critical = normalQuantile(1 - ALPHA / comparisons / 2);
  // Of a normal test, which needs the fewest; a t test needs about critical^2 / 2 more.
  const fewest = ((critical + normalQuantile(POWER)) / size) ** 2;
  for (let n = Math.max(2, Math.floor(fewest)); n < MANY; n++)
    if (size >= leastEffect(n, comparisons)) return n;
  const seeds = Math.max(MANY, Math.ceil(fewest + critical ** 2 / 2) + 1);
  return seeds > MOST_SEEDS ? null : seeds;
}
