/** @file From the stored points of a range test to bounds of the learning rate, over its seeds. */

import { ArgumentError, RangeTestError } from "../../core/errors.ts";
import type {
  Interval,
  RangeTestReading,
  RangeTestRecord,
  RangeTestSuggestion,
  RangeTestVerdict,
} from "../../record/index.ts";
import { mean, medianRate, standardDeviation } from "../statistics/statistics.ts";
import { tInterval } from "../statistics/student-t.ts";
import { accuracyElbow } from "./accuracy-elbow.ts";
import {
  argmin,
  type Curve,
  checkRuleName,
  type RangeTestRuleName,
  rangeTestRules,
} from "./rules.ts";
import { SMOOTHINGS, type Smoothing } from "./smoothing.ts";

export type RangeTestRun = RangeTestRecord["runs"][number];

/** What `suggest` reads off the curves; the fields of a RangeTestRecord. */
export type Suggestions = Pick<RangeTestRecord, "suggestion" | "suggestions" | "warnings"> &
  Required<Pick<RangeTestRecord, "readings" | "verdicts">>;

export interface SuggestOptions {
  /** How the points' smoothedLoss was made: what of its noise is left. Default "published". */
  readonly smoothing?: Smoothing;
}

/** The lower bound is the upper bound divided by this; the elbow has a lower bound of its own. */
export const BASE_RATIO = 6;

/** Part of the ramp, at its end, in which a minimum does not count as bracketed. */
const UNBRACKETED_TAIL = 0.05;

/** A fall of the loss by less than this part of it says nothing. */
const FLAT_FALL = 0.05;

/**
 * The upper and lower bound by `rule`, the upper bound by every rule, and what the user should be
 * told. Of several seeds: the median rate (on the log scale), with the least and the greatest
 * beside it. A rule that a curve does not carry leaves that seed out; one that no curve carries is
 * missing from `suggestions`.
 *
 * `bracketed` is false if for any seed the smoothed minimum lies in the last 5% of a ramp that ran
 * to its end: a greater rate may then do better still. A loss that stopped being finite bounds the
 * range by itself.
 * @throws RangeTestError if no seed has a finite loss
 * @throws ArgumentError if `rule` is unknown or carried by no curve
 */
export function suggest(
  runs: readonly RangeTestRun[],
  rule: RangeTestRuleName = "minimum/10",
  { smoothing = "published" }: SuggestOptions = {},
): Suggestions {
  checkRuleName(rule);
  const curves = runs
    .map((run) => {
      const curve = finiteCurve(run);
      const raw = run.points.slice(0, curve.losses.length).map((point) => point.loss!);
      return { seed: run.seed, ended: endedByDivergence(run), raw, ...curve };
    })
    .filter((curve) => curve.losses.length > 0);
  if (curves.length === 0)
    throw new RangeTestError(
      `range test: no seed has a finite loss (${runs.length} tried); lower --from, or look at the data`,
    );

  const readings = readRules(runs);
  const suggestions = Object.fromEntries(
    Object.entries(readings).flatMap(([name, { median }]) =>
      median === null ? [] : [[name, median] as const],
    ),
  );
  const chosen = readings[rule]!.values.filter((rate) => rate !== null);
  if (chosen.length === 0)
    throw new ArgumentError(
      `range test: the curve does not carry the rule "${rule}"; use another rule, or more updates`,
    );

  const unbracketed = curves.filter(
    (curve) => !curve.ended && argmin(curve.losses) >= (1 - UNBRACKETED_TAIL) * curve.losses.length,
  );
  const flat = curves.filter((curve) => isFlat(curve, SMOOTHINGS[smoothing]));
  const maxLr = medianRate(chosen);
  const suggestion: RangeTestSuggestion = {
    rule,
    maxLr,
    baseLr: rule === "elbow" ? elbowBase(curves) : maxLr / BASE_RATIO,
    low: Math.min(...chosen),
    high: Math.max(...chosen),
    bracketed: unbracketed.length === 0,
    interval: rateInterval(chosen),
  };
  const verdicts: RangeTestVerdict[] = [];
  const say = (kind: RangeTestVerdict["kind"], of: readonly { seed: number }[], message: string) =>
    verdicts.push({ kind, seeds: of.map(({ seed }) => seed), message });
  if (unbracketed.length > 0) {
    const last = Math.max(...unbracketed.map((curve) => curve.lrs.at(-1)!));
    say(
      "not-bracketed",
      unbracketed,
      `not bracketed: the smoothed loss was still at its least in the last 5% of the ramp for ${ofSeeds(unbracketed, curves)}; raise --to above ${Number(last.toPrecision(3))}`,
    );
  }
  if (flat.length > 0)
    say(
      "too-flat",
      flat,
      `too flat to tell: the loss did not fall clearly below where it began for ${ofSeeds(flat, curves)}; use more epochs, or another range of rates`,
    );
  const lost = runs.filter(({ seed }) => !curves.some((curve) => curve.seed === seed));
  if (lost.length > 0)
    say(
      "no-finite-loss",
      lost,
      `${lost.length} of ${runs.length} seeds had no finite loss at all and were left out; lower --from`,
    );
  return {
    suggestion,
    suggestions,
    readings,
    verdicts,
    warnings: verdicts.map(({ message }) => message),
  };
}

/** What every rule reads off every curve, in the order of the table of rules. */
export function readRules(runs: readonly RangeTestRun[]): Record<string, RangeTestReading> {
  const curves = runs.map(finiteCurve);
  return Object.fromEntries(
    Object.entries(rangeTestRules).map(([name, read]) => {
      const values = curves.map((curve) => (curve.losses.length === 0 ? null : read(curve)));
      const rates = values.filter((rate) => rate !== null);
      const some = rates.length > 0;
      return [
        name,
        {
          values,
          median: some ? medianRate(rates) : null,
          low: some ? Math.min(...rates) : null,
          high: some ? Math.max(...rates) : null,
          interval: rateInterval(rates),
        },
      ];
    }),
  );
}

/** 95% t interval of the mean log rate, as rates: it lies around the geometric mean. */
function rateInterval(rates: readonly number[]): Interval | null {
  const interval = tInterval(rates.map(Math.log));
  return interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) };
}

/** Rates and smoothed losses up to the first point that is not finite. */
export function finiteCurve(run: RangeTestRun): Curve {
  const end = run.points.findIndex((point) => !isFinitePoint(point));
  const points = end < 0 ? run.points : run.points.slice(0, end);
  const accuracies = points.flatMap(({ accuracy }) => accuracy ?? []);
  return {
    lrs: points.map((p) => p.lr),
    losses: points.map((p) => p.smoothedLoss!),
    ...(accuracies.length === points.length ? { accuracies } : {}),
  };
}

const isFinitePoint = (point: RangeTestRun["points"][number]) =>
  Number.isFinite(point.loss) && Number.isFinite(point.smoothedLoss);

const endedByDivergence = (run: RangeTestRun) => !run.points.every(isFinitePoint);

/**
 * Whether the least smoothed loss fails to lie clearly below the beginning: by less than 5% of it,
 * or by less than three standard deviations that the smoothed loss has of noise alone: half the
 * mean squared successive difference of the losses is the variance of their noise, and smoothing
 * multiplies it by w / (2 - w), for a weight w of the newest loss.
 */
function isFlat({ losses, raw }: Curve & { raw: readonly number[] }, w: number): boolean {
  const least = argmin(losses);
  const start = mean(raw.slice(0, Math.max(1, Math.floor(raw.length / 10))));
  const before = raw.slice(0, least + 1);
  const steps = before.slice(1).map((loss, i) => loss - before[i]!);
  const noise = (standardDeviation(steps) ?? 0) / Math.SQRT2;
  const fall = start - losses[least]!;
  return fall < Math.max(FLAT_FALL * Math.abs(start), 3 * noise * Math.sqrt(w / (2 - w)));
}

function elbowBase(curves: readonly Curve[]): number {
  const bounds = curves.map(({ lrs, accuracies = [] }) => accuracyElbow(lrs, accuracies));
  return medianRate(bounds.filter((found) => found !== null).map(({ baseLr }) => baseLr));
}

function ofSeeds(some: readonly { seed: number }[], all: readonly unknown[]): string {
  const seeds = some.map((curve) => curve.seed).join(", ");
  return `seed${some.length > 1 ? "s" : ""} ${seeds} (${some.length} of ${all.length})`;
}
