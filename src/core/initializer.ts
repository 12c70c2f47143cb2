/** @file What a parameter, a running statistic or an optimizer state begins as. */

/** Drawn from the "initialise" stream (core/random.ts), keyed by the tensor's ordinal. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  /** low + (high - low) * u, in doubles, rounded once to f32; u = word * 2^-32. */
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  /** Box-Muller on pairs of words (u1 = (word + 1) * 2^-32); standard deviation `std`, mean 0. */
  | { readonly kind: "normal"; readonly std: number };
