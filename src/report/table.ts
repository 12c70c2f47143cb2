/** @file The table of results: for Markdown and for the terminal. */

import { ranked } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import type { OptimizerSummary, Spread, SummaryRecord } from "../record/index.ts";
import { milliseconds, percentDigits, percentSpread, rates } from "./format.ts";
import { escapeText, printable } from "./html.ts";
import { REPORTED, type Standings, spreadOver } from "./standings.ts";

const HEADINGS = [
  "arm",
  "final accuracy",
  "best epoch",
  "last 10 epochs",
  "learning rate",
  "ms/step",
  "seeds",
  "diverged",
] as const;

/** One row's texts, in the order of HEADINGS. */
const cells = (o: OptimizerSummary) => [
  o.name,
  percentSpread(o.finalValidationAccuracy),
  percentSpread(o.bestValidationAccuracy),
  percentSpread(o.last10ValidationAccuracy),
  rates(o.learningRates) || "–",
  milliseconds(o.msPerStep),
  String(o.seeds.length),
  o.diverged === 0 ? "–" : `${o.diverged} of ${o.seeds.length}`,
];

/**
 * Results as aligned plain text for a terminal, best first, without a trailing newline and without
 * colours. Accuracies are of the validation images, mean ± standard deviation over seeds.
 */
export function formatSummaryTable(summary: SummaryRecord): string {
  const rows = [[...HEADINGS], ...ranked(summary.optimizers).map(cells)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => [...at(row, column, "row")].length)),
  );
  const padded = (text: string, column: number) => {
    const spaces = " ".repeat(at(widths, column, "widths") - [...text].length);
    return column === 0 ? text + spaces : spaces + text;
  };
  return rows.map((row) => row.map(padded).join("  ").trimEnd()).join("\n");
}

/** The same as a Markdown table, with a trailing newline; "" where nothing was trained. */
export function markdownTable(summary: SummaryRecord | null): string {
  if (!summary || summary.optimizers.length === 0) return "";
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  return `${[
    line(HEADINGS),
    line(HEADINGS.map((_, column) => (column === 0 ? ":--" : "--:"))),
    ...ranked(summary.optimizers).map((optimizer) => line(cells(optimizer).map(escapeMarkdown))),
  ].join("\n")}\n`;
}

const escapeMarkdown = (text: string) =>
  escapeText(text)
    .replace(/[\\`*_[\]|~]/g, (character) => `\\${character}`)
    .replaceAll("\n", " ");

/**
 * The same as a LaTeX table for `booktabs`, with a trailing newline; "" where nothing was trained.
 * @param standings what ranks the arms, and what stands behind each mean accuracy
 */
export function latexTable(
  summary: SummaryRecord,
  { by, spread }: Standings = { ...REPORTED, spread: "sd" },
): string {
  if (summary.optimizers.length === 0) return "";
  const accuracy = (values: Spread) => {
    if (values.mean === null) return "--";
    const over = spreadOver(values, spread);
    const behind =
      over === null
        ? ""
        : typeof over === "number"
          ? ` $\\pm$ ${percentDigits(over)}`
          : `\\ [${percentDigits(over.low)}, ${percentDigits(over.high)}]`;
    return `${percentDigits(values.mean)}${behind}`;
  };
  const rows = ranked(summary.optimizers, by).map((o) =>
    [
      escapeLatex(o.name),
      accuracy(o.finalValidationAccuracy),
      accuracy(o.bestValidationAccuracy),
      escapeLatex(rates(o.learningRates) || "--"),
      o.seeds.length,
    ].join(" & "),
  );
  const headings = ["arm", "final accuracy, \\%", "best epoch, \\%", "learning rate", "seeds"];
  return [
    "\\begin{tabular}{lrrrr}",
    "\\toprule",
    `${headings.join(" & ")} \\\\`,
    "\\midrule",
    ...rows.map((row) => `${row} \\\\`),
    "\\bottomrule",
    "\\end{tabular}",
    "",
  ].join("\n");
}

const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
};

const escapeLatex = (text: string) =>
  printable(text).replace(/[\\~^&%$#_{}]/g, (letter) => LATEX[letter] ?? `\\${letter}`);
