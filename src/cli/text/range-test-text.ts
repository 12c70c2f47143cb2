/** @file What a range test says, in words for a terminal. */

import type { RangeTestReading, RangeTestRecord } from "../../record/index.ts";
import type { Colors } from "../terminal.ts";
import { accuracy, duration, plural, rate, textTable } from "./format.ts";
import { tuningText } from "./tuning-text.ts";

/** The reading of the rule chosen, every rule beside it (seed by seed where there is room), warnings. */
export function rangeTestText(record: RangeTestRecord, colors: Colors, columns = 80): string {
  const { suggestion, suggestions, runs, warnings, readings } = record;
  const several = runs.length > 1;
  const others = Object.entries(suggestions).filter(([rule]) => rule !== suggestion.rule);
  const interval = suggestion.interval
    ? `; 95% interval ${rate(suggestion.interval.low)} to ${rate(suggestion.interval.high)}`
    : "";
  return [
    `Suggested learning rates (rule ${suggestion.rule}${several ? `, median of ${runs.length} seeds` : ""}):`,
    `  upper bound  ${colors.bold(rate(suggestion.maxLr))}${several ? `   (${rate(suggestion.low)} to ${rate(suggestion.high)} over the seeds${interval})` : ""}`,
    `  lower bound  ${colors.bold(rate(suggestion.baseLr))}   (${suggestion.rule === "elbow" ? "where the accuracy begins to rise" : "upper / 6"})`,
    ...(several && readings
      ? ["", readingsTable(record, readings, colors, columns), ""]
      : others.length > 0
        ? [`Other rules: ${others.map(([rule, maxLr]) => `${rule} ${rate(maxLr)}`).join(", ")}`]
        : []),
    ...warnings.map((warning) => colors.yellow(`Note: ${warning}`)),
    ...confirmationText(record, colors),
    ...tuningText(record, colors),
    `Took ${duration(record.seconds)}, ${plural(runs.length, "run")} of ${plural(runs[0]!.points.length, "update")}.`,
  ].join("\n");
}

/** Accuracy of the three rates, and what the suggestion falls short of the best by. */
function confirmationText({ confirmation }: RangeTestRecord, colors: Colors): string[] {
  if (!confirmation) return [];
  const { candidates, epochs, seeds, regret, best } = confirmation;
  const spread = (of: { mean: number | null; sd: number | null }) =>
    of.sd === null ? accuracy(of.mean) : `${accuracy(of.mean)} ± ${accuracy(of.sd)}`;
  return [
    "",
    `Confirmed by ${plural(epochs, "epoch")} at each rate, seeds ${seeds.join(", ")}; validation accuracy:`,
    ...candidates.map(
      ({ factor, rate: lr, validationAccuracy }) =>
        `  ${rate(lr).padEnd(9)} ${spread(validationAccuracy)}${factor === 1 ? "   (suggested)" : ""}`,
    ),
    regret.mean === 0
      ? `Regret: ${colors.bold("none")}; the suggested rate is the best of the three`
      : `Regret: ${colors.bold(spread(regret))} below the best of the three, ${rate(best)}`,
    "",
  ];
}

/** A line a rule: median, interval, then each seed's own, or the least and greatest of many. */
function readingsTable(
  { runs }: RangeTestRecord,
  readings: Readonly<Record<string, RangeTestReading>>,
  colors: Colors,
  columns: number,
): string {
  const orDash = (value: number | null | undefined) =>
    typeof value === "number" ? rate(value) : "-";
  const table = (
    titles: readonly string[],
    values: (reading: RangeTestReading) => (number | null | undefined)[],
  ) =>
    textTable(
      ["rule", "median", "95% interval", ...titles],
      Object.entries(readings)
        .filter(([, { median }]) => median !== null)
        .map(([rule, reading]) => [
          rule,
          orDash(reading.median),
          reading.interval
            ? `${rate(reading.interval.low)} to ${rate(reading.interval.high)}`
            : "-",
          ...values(reading).map(orDash),
        ]),
      ["left", "right", "right", ...titles.map(() => "right" as const)],
      colors,
    );
  const whole = table(
    runs.map(({ seed }) => `seed ${seed}`),
    ({ values }) => values,
  );
  return Math.max(...whole.split("\n").map((line) => line.length)) <= columns
    ? whole
    : table(["least", "greatest"], ({ low, high }) => [low, high]);
}
