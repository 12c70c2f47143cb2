/** @file Numbers as a reader wants them. */

import { counted, grouped, listed, percent, percentDigits } from "../core/words.ts";
import { formatRate } from "../schedules/index.ts";

export { counted, formatRate, grouped, listed, percent, percentDigits };

/** "63.1 ± 1.2%", "63.1%" of a single seed, "-" of none. */
export function percentSpread(spread: { mean: number | null; sd: number | null }): string {
  if (spread.mean === null) return "–";
  if (spread.sd === null) return percent(spread.mean);
  return `${percentDigits(spread.mean)} ± ${percentDigits(spread.sd)}%`;
}

/** "199 ms", "9.4 ms", "0.52 ms" without the unit; "-" where unknown. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return "–";
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(2);
}

/** Distinct rates in order, "1e-3" or "1.1e-3, 1.3e-3". */
export const rates = (values: readonly number[]) => [...new Set(values.map(formatRate))].join(", ");
