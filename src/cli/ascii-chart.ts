/** @file A curve in the terminal: asciichart's, with a width to fit and labels of equal width. */

import { plot } from "asciichart";

/** Columns of the value labels; the axis takes two more. */
const LABEL = 9;

/** Columns before the curve. */
export const CHART_MARGIN = LABEL + 2;

export interface ChartOptions {
  /** Columns of the curve itself. */
  readonly width: number;
  readonly height: number;
  readonly format: (value: number) => string;
}

/** @param values at least one, all finite; drawn at `width` evenly spaced places */
export function asciiChart(values: readonly number[], options: ChartOptions): string {
  const { width, height, format } = options;
  const shown = Array.from(
    { length: width },
    (_, column) => values[Math.round((column * (values.length - 1)) / (width - 1))]!,
  );
  const label = (value: number) => format(value).padStart(LABEL);
  // Of all values, drawn or not, so that the axis ends at the true least and greatest.
  const least = values.reduce((a, b) => Math.min(a, b));
  const greatest = values.reduce((a, b) => Math.max(a, b));
  // Nothing but one value: asciichart cannot scale that.
  if (least === greatest) return `${label(least)} ┼${"─".repeat(width - 1)}`;
  return plot(shown, { height, format: label, min: least, max: greatest })
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Width of a curve that fits the terminal, at most 72 columns. */
export const chartWidth = (columns: number): number =>
  Math.max(20, Math.min(72, columns - CHART_MARGIN - 1));

/** Texts under the axis: left, middle and right. */
export function axisLabels(left: string, middle: string, right: string, width: number): string {
  const line = new Array<string>(width).fill(" ");
  const put = (text: string, at: number) => {
    for (let i = 0; i < text.length; i++)
      if (at + i >= 0 && at + i < width) line[at + i] = text[i]!;
  };
  put(middle, Math.floor((width - middle.length) / 2));
  put(left, 0);
  put(right, width - right.length);
  return " ".repeat(CHART_MARGIN) + line.join("").trimEnd();
}
