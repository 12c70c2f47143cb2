/**
 * @file The sign-flip permutation test of paired differences, and Holm's correction for several of
 * them. R. A. Fisher, "The Design of Experiments" (1935), section 21; S. Holm, "A simple sequentially
 * rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979) 65-70.
 */

import { randomStream } from "../../core/random.ts";
import { ALPHA } from "./power.ts";

/** Up to so many differences every assignment of signs is counted: 2^20 of them. */
const EXACT_LIMIT = 20;
const DRAWS = 200_000;

/**
 * Two-sided p: the part of all 2^n assignments of signs under which the sum is at least as far from
 * 0 as the one observed, which is among them. Above 20 differences, of 200,000 drawn assignments
 * and the observed one. null of nothing. 1 where all differences are 0.
 */
export function signFlipP(differences: readonly number[]): number | null {
  const n = differences.length;
  if (n === 0) return null;
  const sizes = differences.map(Math.abs);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  // Sums that are equal on paper may differ by rounding.
  const bound = observed - 1e-10 * total;
  return n <= EXACT_LIMIT ? countedP(sizes, total, bound) : drawnP(sizes, total, bound);
}

/** By Gray code one sign changes at a time. The last sign stays: the other half mirrors this one. */
function countedP(sizes: readonly number[], total: number, bound: number): number {
  const flips = 2 ** (sizes.length - 1);
  let sum = total;
  let extreme = Math.abs(sum) >= bound ? 1 : 0;
  for (let i = 1; i < flips; i++) {
    const bit = 31 - Math.clz32(i & -i);
    const negative = ((i ^ (i >> 1)) >> bit) & 1;
    sum += negative ? -2 * sizes[bit]! : 2 * sizes[bit]!;
    if (Math.abs(sum) >= bound) extreme++;
  }
  return extreme / flips;
}

function drawnP(sizes: readonly number[], total: number, bound: number): number {
  const stream = randomStream(0, "bootstrap", 1);
  let extreme = 1;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = -total;
    let word = 0;
    for (const [i, size] of sizes.entries()) {
      if (i % 32 === 0) word = stream.word();
      if ((word >>> (i % 32)) & 1) sum += 2 * size;
    }
    if (Math.abs(sum) >= bound) extreme++;
  }
  return extreme / (DRAWS + 1);
}

/** The least two-sided p that n differences can have, whatever they are: 2 / 2^n, at most 1. */
export const leastSignFlipP = (n: number): number => Math.min(1, 2 / 2 ** n);

/** Seeds from which on the sign-flip test can reach p < 0.05, Holm's over `comparisons` included. */
export function leastSeeds(comparisons = 1): number {
  let n = 1;
  while (leastSignFlipP(n) * comparisons >= ALPHA) n++;
  return n;
}

/** Holm's adjusted p values, in the order given; null where there is none, which does not count. */
export function holm(ps: readonly (number | null)[]): (number | null)[] {
  const ascending = ps
    .map((p, index) => ({ p, index }))
    .filter((entry): entry is { p: number; index: number } => entry.p !== null)
    .sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = ps.map(() => null);
  let greatest = 0;
  for (const [rank, { p, index }] of ascending.entries()) {
    greatest = Math.max(greatest, Math.min(1, (ascending.length - rank) * p));
    adjusted[index] = greatest;
  }
  return adjusted;
}
