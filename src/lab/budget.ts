/** @file When a trial ends, told after each epoch and nowhere else. */

import type { EpochMetrics } from "../record/index.ts";

/** What a trial may spend. */
export interface Budget {
  readonly epochs: number;
}

/**
 * Whether a trial with these finished epochs is over. A function of the records alone, so that a
 * resumed trial ends where it would have ended. (One that diverges ends at once, whatever its budget.)
 */
export const isSpent = ({ epochs }: Budget, done: readonly EpochMetrics[]): boolean =>
  done.length >= epochs;
