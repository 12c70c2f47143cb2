/** @file Numbers as a reader wants them. */

import {
  counted,
  duration,
  grouped,
  listed,
  mebibytes,
  percent,
  percentDigits,
} from "../core/words.ts";
import { formatRate } from "../schedules/index.ts";

export { counted, duration, formatRate, grouped, listed, mebibytes, percent, percentDigits };

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

/** A difference of fractions in percentage points: "-1.3", "0.4". */
export const points = (fraction: number) => {
  const text = (fraction * 100).toFixed(1);
  return (text === "-0.0" ? "0.0" : text).replace("-", "−");
};

/** The same with its sign: "+0.4", "−1.3". */
export const signedPoints = (fraction: number) =>
  fraction > 0 && points(fraction) !== "0.0" ? `+${points(fraction)}` : points(fraction);

/** "p = 0.25", "p < 0.001", "" of none. */
export const pValue = (p: number | null) =>
  p === null ? "–" : p < 0.001 ? "< 0.001" : p.toPrecision(2).replace(/^1\.0$/, "1");

/** Four digits of what a figure draws: finer than a pixel, and a fraction of the page's size. */
export function short(value: number): number;
export function short(value: number | null): number | null;
export function short(value: number | null): number | null {
  if (value === null) return null;
  // Where four digits before a power of ten are plain, that is much faster than by way of a text, and the same.
  const size = Math.abs(value);
  const power =
    size >= 1
      ? size < 10
        ? 1e3
        : size < 100
          ? 1e2
          : 0
      : size >= 0.1
        ? 1e4
        : size >= 0.01
          ? 1e5
          : 0;
  const scaled = size * power;
  const digits = Math.round(scaled);
  const isPlain = digits >= 1000 && digits <= 9999 && Math.abs(scaled - digits) < 0.499_999;
  return isPlain ? (Math.sign(value) * digits) / power : Number(value.toPrecision(4));
}
