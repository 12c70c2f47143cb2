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
  const range = greatest - least;
  const ratio = height / range;
  const [low, high] = [least * ratio, greatest * ratio];
  /** With the ends' own numbers: taking steps off the greatest, asciichart loses the digits of the least. */
  const labels = (rows: number) => (value: number, row: number) =>
    format(row === 0 ? greatest : row === rows ? least : value);
  const counted = Math.max(Math.abs(low), Math.abs(high)) < MOST_ROWS;
  if (range > 0 && counted && range * height < Number.MAX_VALUE)
    return plot(series, {
      height,
      min: least,
      max: greatest,
      format: labels(Math.round(high) - Math.round(low)),
    });
  // As parts of the way up, and the labels back again; by halves where the way is greater than any number.
  const part = (value: number) =>
    range < Number.MAX_VALUE
      ? (value - least) / range
      : (value / 2 - least / 2) / (greatest / 2 - least / 2);
  const label = labels(height);
  return plot(
    series.map((values) => values.map((value) => (range > 0 ? part(value) : 0))),
    {
      height,
      min: 0,
      max: range > 0 ? 1 : 0,
      format: (done, row) => label(least * (1 - done) + greatest * done, row),
    },
  );
}
