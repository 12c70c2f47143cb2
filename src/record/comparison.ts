/**
 * @file What is said of several arms together: paired differences, the performance profile, the
 * sensitivity to the learning rate. Parts of summary.json.
 */

import { z } from "zod";
import { interval, spread } from "./spread.ts";

/** Arm `a` minus arm `b`, seed by seed, over the seeds for which both have a value. */
export const pairedDifference = z.object({
  a: z.string(),
  b: z.string(),
  /** What is compared, a field of the arms' summaries: "finalValidationAccuracy". */
  measure: z.string(),
  seeds: z.array(z.number().int()),
  /** One a seed of `seeds`, a - b. */
  differences: z.array(z.number()),
  /** null without a common seed. */
  mean: z.number().nullable(),
  /** n - 1; null below two seeds. */
  sd: z.number().nullable(),
  /** 95% paired t interval of the mean difference, of this pair alone; null below three seeds. */
  interval: interval.nullable(),
  /** Two-sided p of the exact sign-flip permutation test over all 2^n signs; null without seeds. */
  p: z.number().nullable(),
  /** `p` by Holm's method over all pairs of the experiment. */
  adjustedP: z.number().nullable(),
  /** Least p that so many seeds can give: 2 / 2^n. */
  leastP: z.number().nullable(),
  /** Two-sided p of the paired t test, and by Holm's method; null below three seeds. */
  tP: z.number().nullable().optional(),
  adjustedTP: z.number().nullable().optional(),
  /**
   * How sure it is, by tests corrected over all pairs: "apart" where t test and sign-flip test are both below
   * 0.05, "apart if normal" where the t test alone is, "open" where neither is claimed.
   */
  verdict: z.enum(["apart", "apart if normal", "open"]).optional(),
  /**
   * The same difference with what the images bring, besides the seeds: what other images of the kind
   * would give; its p is not below `tP`. Absent where the trials did not record their answers image by image, or below three seeds.
   */
  overImages: z
    .object({
      images: z.number().int(),
      interval,
      p: z.number(),
      adjustedP: z.number(),
    })
    .optional(),
  /** Part of the common seeds on which a is above b, ties counting half: a description, no test. */
  probability: z.number().nullable(),
  /**
   * Paired seeds at which the verdict would be "apart" with probability 0.8 in an experiment of as many
   * comparisons, if the observed mean and deviation were the true ones; null where there is no difference
   * or no deviation to go by, or more than 10,000 would be needed.
   */
  seedsNeeded: z.number().int().nullable(),
});
export type PairedDifference = z.infer<typeof pairedDifference>;

/** How often an arm is within a factor tau of the fastest, over targets x seeds; misses are never. */
export const performanceProfile = z.object({
  unit: z.enum(["epochs", "seconds"]),
  targets: z.array(z.number()),
  /** Ratios to the fastest, from 1. */
  taus: z.array(z.number()),
  curves: z.array(
    z.object({
      arm: z.string(),
      /** One a tau, in 0 .. 1, never falling. */
      values: z.array(z.number()),
      /** Mean height from tau 1 to the last. */
      score: z.number(),
    }),
  ),
});
export type PerformanceProfile = z.infer<typeof performanceProfile>;

/** One arm trained at several multiples of its rate. */
export const sensitivity = z.object({
  /** The arm as it was asked for; each point has an arm of its own. */
  arm: z.string(),
  /** Ascending by factor. */
  points: z.array(
    z.object({
      arm: z.string(),
      /** 0.1 .. 10; 1 is the arm's own rate. */
      factor: z.number(),
      learningRate: z.number().nullable(),
      finalValidationAccuracy: spread,
      diverged: z.number().int(),
    }),
  ),
  /** Factor of the best mean; null where no point has one. */
  bestFactor: z.number().nullable(),
  /**
   * Decades of rate around the best over which the mean stays within 0.02 of it, interpolated on
   * the log scale: how little the arm minds its rate. null where no point has a mean.
   */
  widthDecades: z.number().nullable(),
});
export type Sensitivity = z.infer<typeof sensitivity>;
