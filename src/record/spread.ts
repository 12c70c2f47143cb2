/** @file One quantity over the seeds of an arm: mean, deviation, interval, and each seed's value. */

import { z } from "zod";

/** Of 95% unless the field says otherwise. */
export const interval = z.object({ low: z.number(), high: z.number() });
export type Interval = z.infer<typeof interval>;

export const spread = z.object({
  /** null where no seed has a value (all diverged at once). */
  mean: z.number().nullable(),
  /** n - 1 in the denominator; null below two values. */
  sd: z.number().nullable(),
  /** One a seed, in the order of the arm's `seeds`. */
  values: z.array(z.number().nullable()),
  /**
   * 95% interval of the mean: of accuracies a t interval on the logit scale, which stays within 0 .. 1, else
   * Student's. null below three values; absent in records of lrscope 0.1.
   */
  interval: interval.nullable().optional(),
});
export type Spread = z.infer<typeof spread>;
