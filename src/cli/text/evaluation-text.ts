/** @file What `evaluate` found, as lines for people. */

import { visibleLine } from "../../core/visible.ts";
import { percent } from "../../core/words.ts";
import type { EvaluationRecord } from "../../record/index.ts";
import type { Terminal } from "../terminal.ts";
import { count, plural, textTable } from "./format.ts";

/** Classes that the table names; the report has them all. */
const MOST_CLASSES = 40;

const shown = (value: number | null) => (value === null ? "-" : percent(value));

/** A line of the whole, a table of the classes, and how sure the network is. */
export function evaluationLines(
  record: EvaluationRecord,
  { colors, width }: Pick<Terminal, "colors" | "width">,
): string[] {
  const { source, part, split, images, right, accuracy, interval, loss, calibration, classes } =
    record;
  const rest = classes.length - MOST_CLASSES;
  return [
    `${visibleLine(source)}${part === "all" ? "" : `, ${part === "train" ? "training" : part} part${split ? ` of ${visibleLine(split.run)}` : ""}`}: ${percent(accuracy)} right, ${count(right)} of ${count(images)} (95% interval ${percent(interval.low)} to ${percent(interval.high)})`,
    `mean over classes ${percent(record.balancedAccuracy)}; loss ${loss.toFixed(4)}`,
    `expected calibration error ${percent(calibration.error)} over ${calibration.bins.length} bins; widest gap of a bin ${percent(calibration.greatest)}`,
    "",
    textTable(
      ["class", "images", "accuracy", "precision"],
      classes
        .slice(0, MOST_CLASSES)
        .map((entry) => [
          entry.class,
          count(entry.images),
          shown(entry.accuracy),
          shown(entry.precision),
        ]),
      ["left", "right", "right", "right"],
      colors,
      width,
    ),
    ...(rest > 0 ? [`and ${plural(rest, "class")} more; the report has them all`] : []),
    ...record.notes.map((note) => `Note: ${note.replaceAll(/[“”]/g, '"')}`),
  ];
}
