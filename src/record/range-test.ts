/** @file range-test.json and range-tests/<arm>.json: the curves, what is suggested of them, and every rule's reading. */

import { z } from "zod";
import { interval, spread } from "./spread.ts";

export const rangeTestPoint = z.object({
  update: z.number().int(),
  lr: z.number(),
  /** null where the loss was not finite. */
  loss: z.number().nullable(),
  smoothedLoss: z.number().nullable(),
  /** Of the same images as the loss, in 0 .. 1; absent in records of lrscope 0.1. */
  accuracy: z.number().nullable().optional(),
});
export type RangeTestPoint = z.infer<typeof rangeTestPoint>;

/** One seed's curve. */
export const rangeTestRun = z.object({
  seed: z.number().int(),
  points: z.array(rangeTestPoint),
});

/** A rate for one use of it; it and all about it lie between the ends of the ramp. */
export const suggestedRate = z.object({
  rate: z.number(),
  /** Whose reading it is: "minimum/10". */
  rule: z.string(),
  /** Least and greatest of the seeds' own. */
  low: z.number(),
  high: z.number(),
  /** 95% t interval over the seeds' own log rates, about `rate`; null below three seeds. */
  interval: interval.nullable(),
});
export type SuggestedRate = z.infer<typeof suggestedRate>;

export const rangeTestSuggestion = z.object({
  /** For a rate that does not change. */
  constant: suggestedRate,
  /** For the greatest rate of a schedule that rises and falls. */
  peak: suggestedRate.extend({
    /** Its least. */
    baseLr: z.number(),
  }),
});
export type RangeTestSuggestion = z.infer<typeof rangeTestSuggestion>;

/** Whether the test can say, and why it cannot. */
export const rangeTestVerdict = z.object({
  kind: z.enum([
    "read",
    /** The loss never fell clearly below where it began. */
    "too-flat",
    /** The loss was still falling where the ramp ended: greater rates may do better. */
    "not-bracketed",
    /** What the rule reads lies outside the ramp. */
    "outside",
    "no-finite-loss",
  ]),
  /** A sentence; "" where the test was read. */
  message: z.string(),
  /** What a test that could say would do differently; null where it was read. */
  remedy: z
    .object({
      updates: z.number().int().optional(),
      from: z.number().optional(),
      to: z.number().optional(),
    })
    .nullable(),
});
export type RangeTestVerdict = z.infer<typeof rangeTestVerdict>;

/** Whose reading of the curve is suggested: rules of analysis/range-test/rules.ts. */
export const rangeTestRule = z.enum(["fall", "minimum/10", "steepest", "valley", "slide", "elbow"]);
export type RangeTestRuleName = z.infer<typeof rangeTestRule>;

/** What became of a seed's curve. */
export const rangeTestSeed = z.object({
  seed: z.number().int(),
  status: z.enum(["read", "left out"]),
  /** Why it was left out, or was read together with others only; null where it has a reading of its own. */
  reason: z.string().nullable(),
  /** The constant rate that its own curve suggests; null where that cannot be read. */
  rate: z.number().nullable(),
});
export type RangeTestSeed = z.infer<typeof rangeTestSeed>;

/** What one rule reads off the curves. */
export const rangeTestReading = z.object({
  /** One a run, in the order of `runs`; null where that curve does not carry the rule. */
  values: z.array(z.number().nullable()),
  /** Over the seeds that carry it, on the log scale. null where none does. */
  median: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  interval: interval.nullable(),
});
export type RangeTestReading = z.infer<typeof rangeTestReading>;

/** What keeps single seeds, or the whole, from a plain answer. */
export const rangeTestDoubt = z.object({
  kind: z.enum(["too-flat", "not-bracketed", "outside", "no-finite-loss"]),
  /** The seeds concerned. */
  seeds: z.array(z.number().int()),
  /** The sentence in `warnings`. */
  message: z.string(),
});
export type RangeTestDoubt = z.infer<typeof rangeTestDoubt>;

/** Short runs at the suggested rate, a third of it and three times it, over paired seeds. */
export const rangeTestConfirmation = z.object({
  epochs: z.number().int(),
  seeds: z.array(z.number().int()),
  candidates: z.array(
    z.object({
      /** Of the suggested rate: 1/3, 1, 3. */
      factor: z.number(),
      rate: z.number(),
      /** After the last epoch, 0 .. 1; 0 where a run diverged. */
      validationAccuracy: spread,
    }),
  ),
  /** The rate with the greatest mean accuracy. */
  best: z.number(),
  /** Accuracy of the best less that of the suggestion, seed by seed; all 0 where they are the same. */
  regret: spread,
});
export type RangeTestConfirmation = z.infer<typeof rangeTestConfirmation>;

/** Short runs at the suggested rate and about it, until the best rate lies between two that are worse. */
export const rangeTestTuning = z.object({
  epochs: z.number().int(),
  seeds: z.array(z.number().int()),
  /** Word of the schedule whose greatest rate was tuned; null: a rate that does not change. */
  schedule: z.string().nullable(),
  /** Ascending by rate. */
  candidates: z.array(
    z.object({
      /** Of the suggested rate: 1/2, 1, 2, 4, ... */
      factor: z.number(),
      rate: z.number(),
      /** After the last epoch, 0 .. 1; 0 where a run diverged. */
      validationAccuracy: spread,
      /** null where a run diverged. */
      validationLoss: spread,
      /** Runs. */
      diverged: z.number().int(),
    }),
  ),
  /** The rate with the greatest mean accuracy; of equals that with the least loss. */
  rate: z.number(),
  /** 95% t interval over the seeds' own best log rates, about `rate` and within the rates that were tried. */
  interval,
  /** Whether a rate below the best and one above it were tried, and did worse. */
  bracketed: z.boolean(),
  /** Accuracy of the best less that of the suggestion, seed by seed; all 0 where they are the same. */
  regret: spread,
});
export type RangeTestTuning = z.infer<typeof rangeTestTuning>;

/** The quick ramp that finds where the rates of the real one begin and end. */
export const rangeTestSearch = z.object({
  from: z.number(),
  to: z.number(),
  /** That it was to make. */
  updates: z.number().int(),
  run: rangeTestRun,
});
export type RangeTestSearch = z.infer<typeof rangeTestSearch>;

/** As this version writes it; files of earlier ones are read by `storedRangeTest`. */
export const rangeTestRecord = z.object({
  formatVersion: z.literal(2),
  arm: z.string(),
  optimizer: z.string(),
  /** Ends of the ramp, as they were asked for or found. */
  from: z.number(),
  to: z.number(),
  /** Of each seed's ramp, where its loss stays finite; without those of the search. */
  updates: z.number().int(),
  /** Where the length was asked for in epochs. */
  epochs: z.number().optional(),
  ramp: z.enum(["exponential", "linear"]),
  /** Of which images the points' loss and accuracy are. */
  loss: z.enum(["train", "validation"]),
  /** How the points' loss was smoothed. */
  smoothing: z.enum(["proportional", "published", "bias-corrected", "none"]),
  /** "averaged": one reading of the seeds' mean curve, guarded. "published": the median of the seeds' readings. */
  reading: z.enum(["averaged", "published"]),
  /** Where the ends of the ramp were found, and not given. */
  search: rangeTestSearch.optional(),
  runs: z.array(rangeTestRun),
  seeds: z.array(rangeTestSeed),
  /** null: this test cannot say; `verdict` has why, and what would. */
  suggestion: rangeTestSuggestion.nullable(),
  verdict: rangeTestVerdict,
  /** Of a test that cannot say: what a study that is forced goes on from; null where there is nothing at all. */
  unguarded: rangeTestSuggestion.nullable(),
  /** Median over seeds, by rule. */
  suggestions: z.record(z.string(), z.number()),
  /** The same with each seed's value and an interval; absent where lrscope 0.1 measured. */
  readings: z.record(z.string(), rangeTestReading).optional(),
  doubts: z.array(rangeTestDoubt),
  /** With --confirm. */
  confirmation: rangeTestConfirmation.optional(),
  /** With --tune. */
  tuning: rangeTestTuning.optional(),
  /** Sentences for the user: cannot say, seeds left out, ... */
  warnings: z.array(z.string()),
  seconds: z.number(),
});
export type RangeTestRecord = z.infer<typeof rangeTestRecord>;

/** One seed's curve, in a file of its own until all are there. */
export const measuredRun = z.object({
  formatVersion: z.literal(1),
  seed: z.number().int(),
  points: z.array(rangeTestPoint),
  seconds: z.number(),
});
export type MeasuredRun = z.infer<typeof measuredRun>;

/** The quick ramp, in a file of its own until all curves are there. */
export const measuredSearch = z.object({
  formatVersion: z.literal(1),
  search: rangeTestSearch,
  seconds: z.number(),
});
export type MeasuredSearch = z.infer<typeof measuredSearch>;
