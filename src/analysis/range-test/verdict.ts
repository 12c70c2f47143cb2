/** @file Why a range test, or a seed of it, cannot say, and what would: in words, and as numbers for a command. */

import type { RangeTestDoubt, RangeTestSeed, RangeTestVerdict } from "../../record/index.ts";
import type { RawCurve } from "./averaged.ts";
import type { Ends } from "./readings.ts";
import { ALL_RATES } from "./search.ts";

export type Doubtful = RangeTestDoubt["kind"];

export const READ: RangeTestVerdict = { kind: "read", message: "", remedy: null };

/** Of a seed. */
export const REASONS: Readonly<Record<Doubtful, string>> = {
  "too-flat": "too flat to tell",
  "not-bracketed": "not bracketed, still falling at the end of the ramp",
  outside: "its reading lies outside the ramp",
  "no-finite-loss": "no finite loss",
};

export const DOUBTFUL = Object.keys(REASONS) as readonly Doubtful[];

/** A test of so many updates mostly can. */
const ENOUGH_UPDATES = 200;

/** Why the curves, or those that are named, cannot say, and what would do otherwise. */
export function cannotSay(
  kind: Doubtful,
  { from, to }: Ends,
  {
    curves,
    updates,
    of = "",
  }: { readonly curves: readonly RawCurve[]; readonly updates: number; readonly of?: string },
): RangeTestVerdict & { kind: Doubtful } {
  const short = (rate: number) => Number(rate.toPrecision(3));
  switch (kind) {
    case "too-flat": {
      // What nothing stopped may have begun to move later.
      const further = curves.every(({ ended }) => !ended) && to < ALL_RATES.to;
      return {
        kind,
        message: `too flat to tell: the loss did not fall clearly below where it began${of}; use more updates${further ? ", and a greater --to" : ""}`,
        remedy: {
          updates: Math.max(ENOUGH_UPDATES, 3 * updates),
          ...(further ? { to: Math.min(ALL_RATES.to, 10 * to) } : {}),
        },
      };
    }
    case "not-bracketed":
      return {
        kind,
        message: `not bracketed: the smoothed loss was still at its least in the last 5% of the ramp${of}; raise --to above ${short(to)}`,
        remedy: { to: short(10 * to) },
      };
    case "outside":
      return {
        kind,
        message: `outside the ramp: the loss is least so near one of its ends that the rule reads a rate which was not tested${of}; lower --from below ${short(from)}`,
        remedy: { from: short(from / 100) },
      };
    case "no-finite-loss":
      return {
        kind,
        message: `no seed has a finite loss (${curves.length} tried); lower --from, or look at the data`,
        ...{ remedy: Number.isFinite(from) ? { from: short(from / 1000) } : null },
      };
    default:
      return kind satisfies never;
  }
}

/** Nothing can be read of curves without a finite loss. */
export function nothingFinite(ends: Ends, curves: readonly RawCurve[]) {
  const seeds = curves.map(
    ({ seed }): RangeTestSeed => ({
      ...{ seed, status: "left out", reason: REASONS["no-finite-loss"], rate: null },
    }),
  );
  const verdict = cannotSay("no-finite-loss", ends, { curves, updates: 0 });
  return { suggestion: null, verdict, unguarded: null, seeds, doubts: [], rule: null };
}

/** "seeds 1, 2 (2 of 3)" */
export function ofSeeds(some: readonly { readonly seed: number }[], all: number): string {
  const seeds = some.map(({ seed }) => seed).join(", ");
  return `seed${some.length > 1 ? "s" : ""} ${seeds} (${some.length} of ${all})`;
}
