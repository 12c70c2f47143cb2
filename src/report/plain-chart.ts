/** @file Curves as plain text: asciichart's, for values of any size. */

import { plot } from "asciichart";

export interface PlainChartOptions {
  /** Rows between the least and the greatest value. */
  readonly height: number;
  readonly least: number;
  readonly greatest: number;
  readonly format: (value: number) => string;
}

/** asciichart counts rows from zero: beyond so many below the curve, its counting comes to no end. */
const MOST_ROWS = 1e6;

/**
 * The curves over each other.
 * @param series finite values, as many in each
 */
export function plainChart(
  series: readonly (readonly number[])[],
  { height, least, greatest, format }: PlainChartOptions,
): string {
  const lines = series.map((values) => [...values]);
  const range = greatest - least;
  const rows = (height / range) * Math.max(Math.abs(least), Math.abs(greatest));
  if (range > 0 && rows < MOST_ROWS && range * height < Number.MAX_VALUE)
    return plot(lines, { height, format, min: least, max: greatest });
  // As parts of the way up, and the labels back again; halves, as the way may be greater than any number.
  const half = greatest / 2 - least / 2;
  const parts = lines.map((values) =>
    values.map((value) => (half > 0 ? (value / 2 - least / 2) / half : 0)),
  );
  return plot(parts, {
    height,
    min: 0,
    max: half > 0 ? 1 : 0,
    format: (part) => format(least * (1 - part) + greatest * part),
  });
}
