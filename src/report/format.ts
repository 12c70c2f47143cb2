/** @file Numbers as a reader wants them. */

import { formatRate } from "../schedules/index.ts";

export { formatRate };

/** A fraction in percent with one decimal: "63.1". */
export const percentDigits = (fraction: number) => (fraction * 100).toFixed(1);

/** "63.1%" */
export const percent = (fraction: number) => `${percentDigits(fraction)}%`;

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

/** Thousands apart: "1,234,567". The same in every locale. */
export const grouped = (value: number) => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** "1 seed", "3 seeds", "2 classes". */
export function counted(count: number, noun: string): string {
  const plural = noun.endsWith("s") ? `${noun}es` : `${noun}s`;
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Distinct rates in order, "1e-3" or "1.1e-3, 1.3e-3". */
export const rates = (values: readonly number[]) => [...new Set(values.map(formatRate))].join(", ");
