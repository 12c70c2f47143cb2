/** @file summary.json: what `compare --json` prints. */

import { z } from "zod";
import { protocolRecord } from "./experiment.ts";

export const spread = z.object({
  /** null where no seed has a value (all diverged at once). */
  mean: z.number().nullable(),
  /** n - 1 in the denominator; null below two values. */
  sd: z.number().nullable(),
  values: z.array(z.number().nullable()),
});
export type Spread = z.infer<typeof spread>;

export const optimizerSummary = z.object({
  /** The arm's name. */
  name: z.string(),
  /** One a seed: the constant rate, or the schedule's greatest. */
  learningRates: z.array(z.number()),
  seeds: z.array(z.number().int()),
  finalValidationAccuracy: spread,
  bestValidationAccuracy: spread,
  /** Mean of the last ten epochs (of all, where there are fewer). */
  last10ValidationAccuracy: spread,
  msPerStep: z.number().nullable(),
  /** How many seeds diverged. */
  diverged: z.number().int(),
});
export type OptimizerSummary = z.infer<typeof optimizerSummary>;

export const summaryRecord = z.object({
  formatVersion: z.literal(1),
  optimizers: z.array(optimizerSummary),
  dataset: z.string(),
  model: z.string(),
  protocol: protocolRecord,
});
export type SummaryRecord = z.infer<typeof summaryRecord>;
