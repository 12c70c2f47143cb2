/** @file What a comparison says at its end, on a terminal: tables that fit its width, then the conclusion. */

import { type Labels, labelsFor } from "../../arms/arm-labels.ts";
import { at } from "../../core/at.ts";
import { percentDigits } from "../../core/words.ts";
import type { SummaryRecord } from "../../record/index.ts";
import type { TextTable } from "../../report/index.ts";
import type { Colors } from "../terminal.ts";
import { columnsOf } from "./columns.ts";
import { textTable } from "./format.ts";
import { armColumns, type Column, fitting } from "./results-columns.ts";

export interface ResultsLayout {
  /** Columns of the terminal; 80 where unknown. */
  readonly columns: number;
  readonly colors: Colors;
  /** Of the publication whose protocol is followed; absent or null: none is. */
  readonly published?: TextTable | null;
}

/** Results, best arm first; paired differences to it; times to targets; the publication; the conclusion. */
export async function resultsText(
  summary: SummaryRecord,
  { columns, colors, published = null }: ResultsLayout,
): Promise<string> {
  const { ranked } = await import("../../analysis/index.ts");
  // Points of a sensitivity analysis have a table of their own, and are no contestants.
  const points = new Set(
    (summary.sensitivity ?? []).flatMap(({ points: own }) =>
      own.flatMap((point) => (point.factor === 1 ? [] : [point.arm])),
    ),
  );
  const order = ranked(summary.optimizers.filter(({ name }) => !points.has(name)));
  const seeds = Math.max(0, ...order.map((entry) => entry.seeds.length));
  const names = order.map(({ name }) => name);
  const room = Math.max(14, Math.floor(columns * NAME_SHARE));
  const label = labelsFor(names, (of) => names.every((name) => columnsOf(of(name)) <= room));
  const layout = { columns, colors, label };
  const table = fittedTable(
    armColumns(order).map((column, i) =>
      i === 0 ? { ...column, cells: column.cells.map(label) } : column,
    ),
    layout,
  );
  const sections = [
    [
      wrapped(
        `Accuracy on the validation images in percent${seeds > 1 ? ", mean ± standard deviation over the seeds" : ""}; best first`,
        columns,
      ),
      table,
    ].join("\n\n"),
    await pairsText(summary, order[0]?.name, layout),
    targetsText(order, layout),
    sensitivityText(summary, layout),
    publishedText(published, layout),
    summary.conclusion
      ? wrapped(withLabels(summary.conclusion, names, layout), Math.min(columns, 100))
      : "",
    (summary.notes ?? [])
      .map((note) => wrapped(`Note: ${withLabels(note, names, layout)}`, Math.min(columns, 100)))
      .join("\n"),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** Of the terminal, that a label may take. */
const NAME_SHARE = 0.35;

interface Layout extends Pick<ResultsLayout, "columns" | "colors"> {
  readonly label: Labels;
}

/** As many of the columns as fit: the first to the left, the others to the right. */
function fittedTable(all: readonly Column[], { columns, colors }: Omit<Layout, "label">): string {
  const shown = fitting(all, columns);
  return textTable(
    shown.map(({ title }) => title),
    (shown[0]?.cells ?? []).map((_, row) => shown.map(({ cells }) => at(cells, row, "cells"))),
    shown.map((_, index) => (index === 0 ? "left" : "right")),
    colors,
  );
}

/** A sentence in which names that are wider than the terminal stand as the tables have them. */
function withLabels(text: string, names: readonly string[], { columns, label }: Layout): string {
  return names
    .filter((name) => columnsOf(name) > columns - 2)
    .sort((a, b) => b.length - a.length)
    .reduce((said, name) => said.replaceAll(name, label(name)), text);
}

const signed = (value: number) => `${value < 0 ? "-" : "+"}${percentDigits(Math.abs(value))}`;

/** The leader against each other arm: all pairs are in summary.json. */
async function pairsText(
  { pairs = [] }: SummaryRecord,
  leader: string | undefined,
  layout: Layout,
): Promise<string> {
  const { label } = layout;
  const { comparisonsOf, pairOf } = await import("../../analysis/index.ts");
  if (leader === undefined) return "";
  const names = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))].filter((name) => name !== leader);
  const found = names
    .flatMap((name) => {
      const pair = pairOf(pairs, leader, name);
      if (!pair || pair.mean === null || pair.interval === null) return [];
      return [{ ...pair, mean: pair.mean, interval: pair.interval }];
    })
    .sort((x, y) => x.mean - y.mean);
  if (found.length === 0) return "";
  const withImages = found.some((pair) => pair.overImages);
  const p = (value: number | null | undefined) =>
    value == null ? "-" : value < 0.001 ? "<0.001" : String(Number(value.toPrecision(2)));
  const column = (title: string, dispensable: number, cell: (pair: Found) => string): Column => ({
    ...{ title, dispensable, cells: found.map(cell) },
  });
  type Found = (typeof found)[number];
  const table = [
    column("minus", 0, (pair) => label(pair.b)),
    column("mean", 0, (pair) => signed(pair.mean)),
    column("95% interval", 2, ({ interval: { low, high } }) => `${signed(low)} to ${signed(high)}`),
    column("p, t", 1, (pair) => p(pair.adjustedTP)),
    column("p, flips", 3, (pair) => p(pair.adjustedP)),
    ...(withImages ? [column("p, images", 4, (pair) => p(pair.overImages?.adjustedP))] : []),
    column("seeds", 6, (pair) => String(pair.seeds.length)),
    column("for 0.8", 5, ({ seedsNeeded }) => (seedsNeeded === null ? "-" : String(seedsNeeded))),
  ];
  const comparisons = comparisonsOf(pairs);
  const corrected = comparisons > 1 ? `, each corrected for ${comparisons} comparisons` : "";
  const images = withImages ? ", and over other images as well" : "";
  return [
    wrapped(
      `Final accuracy of ${label(leader)} minus that of each other arm, in points, paired by seed; p by t test and sign-flip test${images}${corrected}; seeds that would give power 0.8`,
      layout.columns,
    ),
    "",
    fittedTable(table, layout),
  ].join("\n");
}

function targetsText(order: SummaryRecord["optimizers"], layout: Layout): string {
  const { columns, label } = layout;
  const targets = order[0]?.timeToTarget ?? [];
  if (targets.length === 0) return "";
  const several = order.some(({ seeds }) => seeds.length > 1);
  const cell = (arm: (typeof order)[number], index: number) => {
    const time = arm.timeToTarget?.[index];
    if (!time || time.reached === 0) return time?.openSeeds ? "not yet" : "never";
    const parts = several ? ` (${time.reached}/${time.epochs.length})` : "";
    return `${time.medianEpochs ?? "-"}${parts}`;
  };
  return [
    wrapped(
      `Epochs to a validation accuracy${several ? ": median over the seeds, - where the median is a miss (seeds that reached it)" : ""}`,
      columns,
    ),
    "",
    fittedTable(
      [
        { title: "arm", dispensable: 0, cells: order.map(({ name }) => label(name)) },
        // The last are the highest, which say most.
        ...targets.map(({ target }, index) => ({
          title: `${Number((target * 100).toFixed(1))}%`,
          dispensable: targets.length - 1 - index,
          cells: order.map((arm) => cell(arm, index)),
        })),
      ],
      layout,
    ),
  ].join("\n");
}

/** A row an arm, a column a multiple of its rate. */
function sensitivityText({ sensitivity = [] }: SummaryRecord, layout: Layout): string {
  const { columns, label } = layout;
  const factors = [
    ...new Set(sensitivity.flatMap(({ points }) => points.map(({ factor }) => factor))),
  ].sort((a, b) => a - b);
  if (factors.length === 0) return "";
  const cellsOf = (factor: number) =>
    sensitivity.map(({ points }) => {
      const found = points.find((point) => point.factor === factor)?.finalValidationAccuracy;
      return found?.mean == null ? "-" : percentDigits(found.mean);
    });
  return [
    wrapped(
      "Final accuracy in percent at multiples of each arm's rate; decades of rate within 2 points of its best",
      columns,
    ),
    "",
    fittedTable(
      [
        { title: "arm", dispensable: 0, cells: sensitivity.map(({ arm }) => label(arm)) },
        // The further from the arm's own rate, the sooner a column goes.
        ...factors.map((factor) => ({
          title: `x ${Number(factor.toPrecision(2))}`,
          dispensable: Math.round(Math.abs(Math.log(factor)) * 100),
          cells: cellsOf(factor),
        })),
        {
          title: "decades",
          dispensable: 0,
          cells: sensitivity.map(({ widthDecades: of }) => (of === null ? "-" : of.toFixed(1))),
        },
      ],
      layout,
    ),
  ].join("\n");
}

function publishedText(table: TextTable | null, layout: Layout): string {
  if (!table) return "";
  const { title, head, rows } = table;
  const all = head.map((text, i) => ({
    ...{ title: text, dispensable: i, cells: rows.map((row) => row[i] ?? "") },
  }));
  return [wrapped(title, layout.columns), "", fittedTable(all, layout)].join("\n");
}

/** Broken between words; a word longer than the width stands alone. */
export function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
