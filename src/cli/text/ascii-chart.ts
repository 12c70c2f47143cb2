/** @file A curve in the terminal: asciichart's, with a width to fit and labels of equal width. */

import { at } from "../../core/at.ts";
import { plainChart } from "../../report/plain-chart.ts";
import type { Charted } from "../../schedules/charted.ts";

/** Columns of the value labels; the axis takes two more. */
const LABEL = 9;

/** Columns before the curve. */
export const CHART_MARGIN = LABEL + 2;

export interface ChartOptions {
  readonly height: number;
  readonly format: (value: number) => string;
}

export function asciiChart({ series, least, greatest }: Charted, options: ChartOptions): string {
  const { height, format } = options;
  const label = (value: number) => format(value).padStart(LABEL);
  // Nothing but one value: asciichart cannot scale that.
  if (least === greatest)
    return `${label(least)} ┼${"─".repeat(at(series, 0, "series").length - 1)}`;
  return plainChart(series, { height, format: label, least, greatest })
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
  const put = (text: string, from: number) => {
    for (const [i, letter] of [...text].entries())
      if (from + i >= 0 && from + i < width) line[from + i] = letter;
  };
  put(middle, Math.floor((width - middle.length) / 2));
  put(left, 0);
  put(right, width - right.length);
  return " ".repeat(CHART_MARGIN) + line.join("").trimEnd();
}
