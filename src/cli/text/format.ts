/** @file Numbers and tables as people read them in a terminal. */

import { at } from "../../core/at.ts";
import { visibleLine } from "../../core/visible.ts";
import { grouped, percent } from "../../core/words.ts";
import type { Colors } from "../terminal.ts";
import { columnsOf, paddedTo } from "./columns.ts";

export { counted as plural, duration, mebibytes } from "../../core/words.ts";
export { formatRate as rate } from "../../schedules/text/describe.ts";

/** 0.6134 -> "61.3%"; null, not finite -> "-". */
export const accuracy = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? "-" : percent(value);

/** 1.23456 -> "1.2346"; a loss that explodes keeps its width. */
export const lossText = (value: number | null): string =>
  value === null || !Number.isFinite(value)
    ? "not finite"
    : value < 1e4
      ? value.toFixed(4)
      : value.toExponential(1).replace("+", "");

/** 12345 -> "12,345". */
export const count = (value: number): string => grouped(Math.round(value));

export type Align = "left" | "right";

/**
 * Columns of equal width, two spaces apart, under a heading; where that is wider than `width`, each row as a few lines
 * of its own. No colour codes within cells; control characters are written out.
 */
export function textTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[],
  colors: Colors,
  width = Number.POSITIVE_INFINITY,
): string {
  const shown = rows.map((row) => row.map(visibleLine));
  const widths = heading.map((title, column) =>
    Math.max(columnsOf(title), ...shown.map((row) => columnsOf(row[column] ?? ""))),
  );
  if (widths.reduce((sum, each) => sum + each + 2, -2) > width)
    return shown.map((row) => stacked(heading, row, { align, colors, width })).join("\n");
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        paddedTo(cell, at(widths, column, "widths"), align[column] === "right" ? "right" : "left"),
      )
      .join("  ")
      .trimEnd();
  return [colors.bold(line(heading)), ...shown.map(line)].join("\n");
}

/** What the row is of, then "heading value", as many to a line as there is room for. */
function stacked(
  heading: readonly string[],
  row: readonly string[],
  { align, colors, width }: { align: readonly Align[]; colors: Colors; width: number },
): string {
  const pairs = row.map((cell, column) => `${heading[column] ?? ""} ${cell}`.trim());
  // A number alone would not say what it is of.
  const [title = ""] = align[0] === "right" ? pairs : row;
  const lines = [colors.bold(title)];
  let current = "";
  for (const [i, pair] of pairs.entries()) {
    if (i === 0 || (row[i] ?? "") === "") continue;
    const longer = current === "" ? `  ${pair}` : `${current}  ${pair}`;
    if (current !== "" && columnsOf(longer) > width) {
      lines.push(current);
      current = `  ${pair}`;
    } else current = longer;
  }
  return [...lines, ...(current === "" ? [] : [current])].join("\n");
}
