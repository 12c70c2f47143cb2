/** @file The range test in a terminal: a chart, the suggestion, and what to do next. */

import type { RangeTestRecord } from "../record/index.ts";
import { asciiChart, axisLabels, CHART_MARGIN, chartWidth } from "./ascii-chart.ts";
import { duration, plural, rate } from "./format.ts";
import type { Colors } from "./terminal.ts";

/** Smoothed loss (mean over the seeds) against update; the rate grows evenly in its logarithm. */
export function rangeTestChart(record: RangeTestRecord, columns: number): string {
  const losses = meanCurve(record);
  if (losses.length < 2) return "(too few finite losses to draw)";
  const width = chartWidth(columns);
  // Where the loss explodes, its last points would flatten all that matters: they are cut off.
  const first = losses[0]!;
  const ceiling = first + 0.5 * (first - Math.min(...losses)) + 1e-6;
  const chart = asciiChart(
    losses.map((loss) => Math.min(loss, ceiling)),
    { width, height: 12, format: (value) => value.toFixed(3) },
  );
  const last = record.runs[0]!.points[losses.length - 1]!.lr;
  const column = (lr: number) =>
    Math.round((Math.log(lr / record.from) / Math.log(last / record.from)) * (width - 1));
  const marks = new Array<string>(width).fill(" ");
  for (const lr of [record.suggestion.baseLr, record.suggestion.maxLr])
    if (column(lr) >= 0 && column(lr) < width) marks[column(lr)] = "^";
  return [
    "smoothed loss",
    chart,
    `${" ".repeat(CHART_MARGIN)}${marks.join("").trimEnd()}`,
    axisLabels(
      rate(record.from),
      "learning rate, log scale; ^ suggested bounds",
      rate(last),
      width,
    ),
  ].join("\n");
}

function meanCurve({ runs }: RangeTestRecord): number[] {
  const curves = runs.map(({ points }) => {
    const end = points.findIndex(({ smoothedLoss }) => smoothedLoss === null);
    return points.slice(0, end === -1 ? undefined : end).map((point) => point.smoothedLoss!);
  });
  const length = Math.min(...curves.map((curve) => curve.length));
  return Array.from(
    { length },
    (_, index) => curves.reduce((sum, curve) => sum + curve[index]!, 0) / curves.length,
  );
}

/** The reading of the published rule, the others beside it, and warnings. */
export function rangeTestText(record: RangeTestRecord, colors: Colors): string {
  const { suggestion, suggestions, runs, warnings } = record;
  const several = runs.length > 1;
  const others = Object.entries(suggestions).filter(([rule]) => rule !== suggestion.rule);
  return [
    `Suggested learning rates (rule ${suggestion.rule}${several ? `, median of ${runs.length} seeds` : ""}):`,
    `  upper bound  ${colors.bold(rate(suggestion.maxLr))}${several ? `   (${rate(suggestion.low)} to ${rate(suggestion.high)} over the seeds)` : ""}`,
    `  lower bound  ${colors.bold(rate(suggestion.baseLr))}   (upper / 6)`,
    ...(others.length > 0
      ? [`Other rules: ${others.map(([rule, maxLr]) => `${rule} ${rate(maxLr)}`).join(", ")}`]
      : []),
    ...warnings.map((warning) => colors.yellow(`Note: ${warning}`)),
    `Took ${duration(record.seconds)}, ${plural(runs.length, "run")} of ${plural(runs[0]!.points.length, "update")}.`,
  ].join("\n");
}
