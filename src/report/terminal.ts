/** @file A range test's curve as plain text, for a terminal. */

import { finiteCurve } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import type { RangeTestRecord } from "../record/index.ts";
import { lossCeiling } from "./figures/range-test.ts";
import { formatRate } from "./format.ts";
import { plainChart } from "./plain-chart.ts";

export interface TerminalChartOptions {
  /** Columns, with the axis; default 72. */
  readonly width?: number;
  /** Rows of the plot; default 12. */
  readonly height?: number;
}

/**
 * The smoothed loss of the first seed that is read against the rate, the rate on a log scale, with what is
 * suggested marked beneath. "" where no seed has a finite loss.
 */
export function formatRangeTestChart(
  record: RangeTestRecord,
  { width = 72, height = 12 }: TerminalChartOptions = {},
): string {
  const readable = record.seeds.find(({ status }) => status === "read")?.seed;
  const run = record.runs.find(({ seed }) => seed === readable) ?? record.runs[0];
  if (!run) return "";
  const { lrs, losses } = finiteCurve(run);
  if (losses.length === 0) return "";
  const gutter = 9;
  const columns = Math.max(20, width - gutter);
  const ceiling = lossCeiling([
    { smoothed: lrs.map((lr, i) => ({ lr, loss: at(losses, i, "losses") })) },
  ]);
  const span = Math.log(record.to) - Math.log(record.from);
  const column = (lr: number) =>
    Math.round(((Math.log(lr) - Math.log(record.from)) / span) * (columns - 1));
  // The nearest point at or before each column, so that any ramp comes out on a log scale.
  let place = 0;
  const series: number[] = [];
  for (let i = 0; i <= Math.min(columns - 1, column(at(lrs, -1, "lrs"))); i++) {
    while (place + 1 < lrs.length && column(at(lrs, place + 1, "lrs")) <= i) place++;
    series.push(Math.min(at(losses, place, "losses"), ceiling));
  }
  const plot = plainChart([series], {
    height: height - 1,
    least: series.reduce((a, b) => Math.min(a, b)),
    greatest: series.reduce((a, b) => Math.max(a, b)),
    // A loss that explodes keeps its width.
    format: (value) =>
      (Math.abs(value) < 1e3 ? value.toFixed(3) : value.toExponential(0)).padStart(gutter - 2),
  });
  const found = marksOf(record);
  const marks = Array.from({ length: columns }, () => " ");
  for (const { mark, rate } of found)
    if (column(rate) >= 0 && column(rate) < columns) marks[column(rate)] = mark;
  const from = formatRate(record.from);
  const to = formatRate(record.to);
  const indent = " ".repeat(gutter);
  return [
    plot,
    ...(found.length > 0 ? [indent + marks.join("").trimEnd()] : []),
    indent + from + to.padStart(columns - from.length),
    `${indent}${found.map(({ mark, what, rate }) => `${mark} ${what} ${formatRate(rate)}`).join(", ")}${found.length > 0 ? "; " : ""}learning rate, log scale`,
  ].join("\n");
}

/** None of a test that cannot say. */
function marksOf({ suggestion, reading }: RangeTestRecord) {
  if (!suggestion) return [];
  const { constant, peak } = suggestion;
  return reading === "published"
    ? [
        { mark: "L", what: "lower bound", rate: peak.baseLr },
        { mark: "U", what: "upper bound", rate: peak.rate },
      ]
    : [
        { mark: "C", what: "constant rate", rate: constant.rate },
        { mark: "P", what: "peak", rate: peak.rate },
      ];
}
