/** @file A range test as it lies in a file: of this version, or as lrscope 0.1 wrote it, in the form of this one. */

import { z } from "zod";
import {
  type RangeTestRecord,
  rangeTestConfirmation,
  rangeTestReading,
  rangeTestRecord,
  rangeTestRun,
} from "./range-test.ts";
import { type Interval, interval } from "./spread.ts";

/** What is absent in some: they are of earlier dates. */
const firstRangeTest = z.object({
  formatVersion: z.literal(1),
  arm: z.string(),
  optimizer: z.string(),
  from: z.number(),
  to: z.number(),
  epochs: z.number(),
  ramp: z.enum(["exponential", "linear"]).default("exponential"),
  loss: z.enum(["train", "validation"]).default("train"),
  smoothing: z.enum(["published", "bias-corrected", "none"]).default("published"),
  runs: z.array(rangeTestRun),
  suggestion: z.object({
    rule: z.string(),
    maxLr: z.number(),
    baseLr: z.number(),
    low: z.number(),
    high: z.number(),
    bracketed: z.boolean(),
    interval: interval.nullable().default(null),
  }),
  suggestions: z.record(z.string(), z.number()),
  readings: z.record(z.string(), rangeTestReading).optional(),
  verdicts: z
    .array(
      z.object({
        kind: z.enum(["too-flat", "not-bracketed", "no-finite-loss"]),
        seeds: z.array(z.number().int()),
        message: z.string(),
      }),
    )
    .optional(),
  confirmation: rangeTestConfirmation.optional(),
  warnings: z.array(z.string()),
  seconds: z.number(),
});
type FirstRangeTest = z.infer<typeof firstRangeTest>;

/**
 * The same test: its numbers as they were recorded, one upper bound for constant rate and peak. Where no seed
 * could be read, or the bound lies outside the ramp, it cannot say, which lrscope 0.1 did not know; what it
 * said is then `unguarded`.
 */
function ofFirstVersion({
  suggestion: { rule, maxLr, baseLr, low, high, bracketed, interval: recorded },
  verdicts,
  epochs,
  ...record
}: FirstRangeTest): RangeTestRecord {
  const { from, to, runs, warnings } = record;
  const inside = (rate: number) => Math.min(to, Math.max(from, rate));
  const within = (of: Interval | null) =>
    of && runs.length >= 3 ? { low: inside(of.low), high: inside(of.high) } : null;
  const all = runs.map(({ seed }) => seed);
  const doubts =
    verdicts ??
    (bracketed
      ? []
      : [
          {
            kind: "not-bracketed" as const,
            seeds: all,
            message: warnings.find((text) => text.startsWith("not bracketed")) ?? "not bracketed",
          },
        ]);
  const bound = { rate: maxLr, rule, low, high, interval: within(recorded) };
  const said = { constant: bound, peak: { ...bound, baseLr } };
  const flat = doubts.find(({ kind, seeds }) => kind === "too-flat" && seeds.length === all.length);
  const updates = runs.reduce((most, { points }) => Math.max(most, points.length), 0);
  const outside = maxLr < from || maxLr > to;
  const verdict = flat
    ? { kind: "too-flat" as const, message: flat.message, remedy: { updates: 3 * updates } }
    : outside
      ? {
          kind: "outside" as const,
          message: `the rule ${rule} reads ${Number(maxLr.toPrecision(3))}, where no rate was tested`,
          remedy: { from: from / 100 },
        }
      : { kind: "read" as const, message: "", remedy: null };
  const read = verdict.kind === "read";
  return {
    ...record,
    formatVersion: 2,
    updates,
    epochs,
    reading: "published",
    seeds: runs.map(({ seed }, i) => ({
      seed,
      status: "read",
      reason: null,
      rate: record.readings?.[rule]?.values[i] ?? null,
    })),
    suggestion: read ? said : null,
    verdict,
    unguarded: read ? null : said,
    doubts,
  };
}

/** A record of either version, as one of this. */
export const storedRangeTest = z
  .discriminatedUnion("formatVersion", [rangeTestRecord, firstRangeTest])
  .transform(
    (record): RangeTestRecord => (record.formatVersion === 2 ? record : ofFirstVersion(record)),
  );
