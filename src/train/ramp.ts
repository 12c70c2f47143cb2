/** @file The rates of a range test: how many updates it makes, between which ends, and whether those are found or given. */

import { ALL_RATES, type Ends, searchUpdates } from "../analysis/index.ts";
import { checkPositive } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { STUDY_DEFAULTS } from "../record/index.ts";
import { geometric, line } from "../schedules/combine/shape.ts";
import { planEpoch } from "./compile-options.ts";
import type { RangeTestOptions } from "./options.ts";
import { updatesOfRun } from "./run-length.ts";

/**
 * Rate of update i of n: `from (to / from)^(i / (n - 1))`, or linear; the last is `to` itself.
 * @throws ArgumentError unless 0 < from < to and n >= 2
 */
export function ramp(options: {
  from: number;
  to: number;
  updates: number;
  kind?: "exponential" | "linear";
}): (update: number) => number {
  const { from, to, updates, kind = "exponential" } = options;
  checkPositive("range test", "from", from);
  checkPositive("range test", "to", to);
  if (from >= to)
    throw new ArgumentError(
      `range test: from must be below to; got from ${from} and to ${to}. Swap them, or raise --to`,
    );
  if (updates < 2)
    throw new ArgumentError(
      `range test: the ramp needs at least 2 updates; got ${updates}. Raise --updates or --epochs, or lower --batch or --accumulate`,
    );
  return (update) => {
    if (update >= updates - 1) return to;
    const part = update / (updates - 1);
    return kind === "linear" ? line(from, to, part) : geometric(from, to, part);
  };
}

/** As published: 1e-7 to 0.1 over two epochs. */
const PUBLISHED = { from: 1e-7, to: 0.1, epochs: 2 } as const;

export interface RampPlan {
  /** Ends that are given; null: a search finds them. */
  readonly ends: Ends | null;
  /** Of each seed's ramp. */
  readonly updates: number;
  /** Where the length is said in epochs. */
  readonly epochs: number | undefined;
  /** Of the search, once; 0 without one. */
  readonly search: number;
  /** Whether a ramp ends where its loss has diverged. */
  readonly untilDiverged: boolean;
}

/**
 * The updates of a test and the ends of its ramp. Of a test that is given no end a fifth of the updates finds
 * both; one that is given only `from` rises until the loss diverges, or to 10; one that is given `to` goes there.
 */
export function planRamp(options: RangeTestOptions): RampPlan {
  const { from, to, reading = STUDY_DEFAULTS.reading } = options;
  const published = reading === "published";
  const epochs =
    options.updates === undefined
      ? (options.epochs ?? (published ? PUBLISHED.epochs : undefined))
      : undefined;
  const updates =
    epochs === undefined
      ? (options.updates ?? STUDY_DEFAULTS.rangeTestUpdates)
      : updatesOfRun("range test", epochs, planEpoch(options).updatesPerEpoch);
  if (published)
    return {
      ends: { from: from ?? PUBLISHED.from, to: to ?? PUBLISHED.to },
      ...{ updates, epochs, search: 0 },
      untilDiverged: options.untilDiverged ?? false,
    };
  const search = from === undefined && to === undefined ? searchUpdates(updates) : 0;
  const least = Math.min(ALL_RATES.from, (to ?? ALL_RATES.to) / 1e6);
  return {
    ends: search > 0 ? null : { from: from ?? least, to: to ?? ALL_RATES.to },
    ...{ updates: updates - search, epochs, search },
    untilDiverged: options.untilDiverged ?? to === undefined,
  };
}
