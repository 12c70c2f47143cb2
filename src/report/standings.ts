/** @file How arms are set against each other in a table: by which accuracy of each seed, and with what behind a mean. */

import { PRIMARY_MEASURE } from "../analysis/index.ts";
import { greatestOf, leastOf } from "../core/extremes.ts";
import type { Interval, PairedDifference } from "../record/index.ts";

/** What stands behind a mean: the 95% interval, the standard deviation over the seeds, or least and greatest. */
export type ShownSpread = "interval" | "sd" | "range";

/** The accuracy of a seed that arms are ranked by: that after its last epoch, or that of its best one. */
export type JudgedBy = "finalValidationAccuracy" | "bestValidationAccuracy";

export interface Standings {
  readonly by: JudgedBy;
  readonly spread: ShownSpread;
}

/** As a report has them. */
export const REPORTED: Standings = { by: PRIMARY_MEASURE, spread: "interval" };

/** In the middle of a sentence. */
export const MEASURE_NAMES = {
  finalValidationAccuracy: "final validation accuracy",
  bestValidationAccuracy: "best validation accuracy",
} as const satisfies Record<JudgedBy, string>;

/** At the beginning of a sentence. */
export const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** What pairs were compared by, in the middle of a sentence. */
export const measureOf = (pairs: readonly Pick<PairedDifference, "measure">[]): string =>
  MEASURE_NAMES[pairs[0]?.measure as JudgedBy] ?? MEASURE_NAMES[REPORTED.by];

/** Values over seeds; null: a seed has none. */
interface OverSeeds {
  readonly sd: number | null;
  readonly interval?: Interval | null | undefined;
  readonly values: readonly (number | null)[];
}

/** Ends or deviation of one kind; null where so few seeds have none. */
export function spreadOver(
  { sd, interval, values }: OverSeeds,
  shown: ShownSpread,
): Interval | number | null {
  if (shown === "sd") return sd;
  if (shown === "interval") return interval ?? null;
  const there = values.filter((value) => value !== null);
  return there.length > 1 ? { low: leastOf(there), high: greatestOf(there) } : null;
}
