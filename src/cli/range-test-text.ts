/** @file What a range test says, in words for a terminal. */

import type { RangeTestRecord } from "../record/index.ts";
import { duration, plural, rate } from "./format.ts";
import type { Colors } from "./terminal.ts";

/** The reading of the published rule, the others beside it, and warnings. */
export function rangeTestText(record: RangeTestRecord, colors: Colors): string {
  const { suggestion, suggestions, runs, warnings } = record;
  const several = runs.length > 1;
  const others = Object.entries(suggestions).filter(([rule]) => rule !== suggestion.rule);
  return [
    `Suggested learning rates (rule ${suggestion.rule}${several ? `, median of ${runs.length} seeds` : ""}):`,
    `  upper bound  ${colors.bold(rate(suggestion.maxLr))}${several ? `   (${rate(suggestion.low)} to ${rate(suggestion.high)} over the seeds)` : ""}`,
    `  lower bound  ${colors.bold(rate(suggestion.baseLr))}   (${suggestion.rule === "elbow" ? "where the accuracy begins to rise" : "upper / 6"})`,
    ...(others.length > 0
      ? [`Other rules: ${others.map(([rule, maxLr]) => `${rule} ${rate(maxLr)}`).join(", ")}`]
      : []),
    ...warnings.map((warning) => colors.yellow(`Note: ${warning}`)),
    `Took ${duration(record.seconds)}, ${plural(runs.length, "run")} of ${plural(runs[0]!.points.length, "update")}.`,
  ].join("\n");
}
