/** @file For tests: curves of range tests whose rates are known, of a formula and of a noisy quadratic that is really descended. */

import { type RandomStream, randomStream } from "../../core/random.ts";
import type { RangeTestRun } from "./curves.ts";
import { smooth } from "./smoothing.ts";

/** Rates in equal steps of their logarithm. */
export const rampOf = (from: number, to: number, updates: number): number[] =>
  Array.from({ length: updates }, (_, i) => from * (to / from) ** (i / (updates - 1)));

/** A run with these losses; smoothed as published. */
export function runOf(
  seed: number,
  losses: readonly (number | null)[],
  lrs: readonly number[],
): RangeTestRun {
  const smoothed = smooth(losses);
  return {
    seed,
    points: losses.map((loss, update) => ({
      update,
      lr: lrs[update]!,
      loss,
      smoothedLoss: smoothed[update]!,
    })),
  };
}

/** Box and Muller. */
const normal = (stream: RandomStream) =>
  Math.sqrt(-2 * Math.log(1 - stream.uniform())) * Math.cos(2 * Math.PI * stream.uniform());

export interface QuadraticOptions {
  readonly seed: number;
  readonly lrs: readonly number[];
  /** Of each batch's loss; the fall of the whole is 1, from a beginning of 2. */
  readonly noise: number;
  /** Curvatures of its directions: gradient descent diverges above 2 / the greatest. */
  readonly curvatures?: readonly number[];
  /** The part of the loss that training can take away; 0: it has nothing to learn. */
  readonly learnable?: number;
}

/**
 * Gradient descent on a sum of quadratics, half a curvature times the squared distance each, over the ramp:
 * the loss before each update, with the noise of a batch. Ends where it has come to twice that of its beginning.
 */
export function quadraticRun({
  seed,
  lrs,
  noise,
  curvatures = [0.2, 1, 5],
  learnable = 1,
}: QuadraticOptions): RangeTestRun {
  const stream = randomStream(seed, "synthetic", 11);
  const start = curvatures.map(() => 0.5 + stream.uniform());
  const whole = start.reduce((sum, x, i) => sum + curvatures[i]! * x * x, 0);
  let distances = start;
  const losses: number[] = [];
  for (const lr of lrs) {
    const part = distances.reduce((sum, x, i) => sum + curvatures[i]! * x * x, 0) / whole;
    const loss = 2 - learnable + learnable * part + noise * normal(stream);
    losses.push(loss);
    if (part > 5) break;
    distances = distances.map((x, i) => x * (1 - lr * curvatures[i]!));
  }
  return runOf(seed, losses, lrs);
}
