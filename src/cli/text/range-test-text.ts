/** @file What a range test says, in words for a terminal. */

import { at } from "../../core/at.ts";
import type {
  Interval,
  RangeTestReading,
  RangeTestRecord,
  RangeTestSuggestion,
} from "../../record/index.ts";
import type { Colors } from "../terminal.ts";
import { columnsOf } from "./columns.ts";
import { accuracy, count, duration, plural, rate, textTable } from "./format.ts";
import { wrapped } from "./results-text.ts";
import { tuningText } from "./tuning-text.ts";

/** What is suggested or why nothing is, every rule beside it (seed by seed where there is room), warnings. */
export function rangeTestText(record: RangeTestRecord, colors: Colors, columns = 80): string {
  const { suggestion, suggestions, runs, warnings, readings } = record;
  const several = runs.length > 1;
  const used = suggestion?.constant.rule;
  const others = Object.entries(suggestions).filter(([rule]) => rule !== used);
  return [
    ...(suggestion
      ? suggestedLines(record, suggestion, colors)
      : cannotSayLines(record, { colors, columns })),
    ...(several && readings
      ? ["", readingsTable(record, readings, colors, columns), ""]
      : others.length > 0
        ? [`Other rules: ${others.map(([rule, found]) => `${rule} ${rate(found)}`).join(", ")}`]
        : []),
    ...(suggestion ? warnings : warnings.slice(1)).map((text) => colors.yellow(`Note: ${text}`)),
    ...confirmationText(record, colors),
    ...tuningText(record, colors),
    costText(record),
  ].join("\n");
}

/** A line a use: the rate, what the seeds' own curves say, the interval; beneath, what it is of use for. */
function suggestedLines(
  { reading, seeds }: RangeTestRecord,
  { constant, peak }: RangeTestSuggestion,
  colors: Colors,
): string[] {
  const several = seeds.length > 1;
  const read = seeds.filter(({ status }) => status === "read").length;
  const of = several
    ? `, ${reading === "averaged" ? "mean curve" : "median"} of ${plural(read, "seed")}`
    : "";
  const evidence = (use: { low: number; high: number; interval: Interval | null }) =>
    several
      ? `   (seeds ${rate(use.low)} to ${rate(use.high)}${use.interval ? `; 95% ${rate(use.interval.low)} to ${rate(use.interval.high)}` : ""})`
      : "";
  const line = (name: string, value: number, after: string) =>
    `  ${name.padEnd(14)} ${colors.bold(rate(value))}${after}`;
  const below = peak.rule === "elbow" ? "where the accuracy begins to rise" : "a sixth of it";
  if (reading === "published")
    return [
      `Suggested learning rates, as published (rule ${peak.rule}${of}):`,
      line("upper bound", peak.rate, evidence(peak)),
      line("lower bound", peak.baseLr, `   (${below.replace("of it", "of the upper")})`),
    ];
  return [
    `Suggested learning rates (rule ${constant.rule}${of}):`,
    line("constant rate", constant.rate, evidence(constant)),
    line("peak", peak.rate, evidence(peak)),
    line("  from", peak.baseLr, `   (${below}: of a cycle, or the start of a warm-up)`),
  ];
}

function cannotSayLines(
  { verdict, unguarded }: RangeTestRecord,
  { colors, columns }: { colors: Colors; columns: number },
): string[] {
  const said = [
    verdict.message,
    ...(unguarded
      ? [
          `(with --force a study would go on from ${rate(unguarded.constant.rate)}, or a peak of ${rate(unguarded.peak.rate)})`,
        ]
      : []),
  ];
  return [
    colors.bold("This range test cannot say which learning rate to train with."),
    ...said.flatMap((text) =>
      wrapped(text, columns - 2)
        .split("\n")
        .map((line) => `  ${line}`),
    ),
  ];
}

/** Updates that were made, those of the search among them. */
function costText({ runs, search, seconds }: RangeTestRecord): string {
  const made = runs.reduce((sum, { points }) => sum + lastUpdate(points), 0);
  const found = search ? lastUpdate(search.run.points) : 0;
  return `Took ${duration(seconds)}: ${plural(made + found, "update")}${search ? `, ${count(found)} of them to find the ends of the ramp` : ""}.`;
}

const lastUpdate = (points: RangeTestRecord["runs"][number]["points"]) =>
  (points.at(-1)?.update ?? -1) + 1;

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
  const widths = (text: string) => text.split("\n").map(columnsOf);
  const narrower = [
    table(["least", "greatest"], ({ low, high }) => [low, high]),
    table([], () => []),
  ];
  return (
    [whole, ...narrower].find((text) => Math.max(...widths(text)) <= columns) ??
    at(narrower, -1, "tables")
  );
}
