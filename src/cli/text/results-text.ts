/** @file What a comparison says at its end, on a terminal: tables that fit its width, then the conclusion. */

import { at } from "../../core/at.ts";
import { percentDigits } from "../../core/words.ts";
import type { SummaryRecord } from "../../record/index.ts";
import type { TextTable } from "../../report/index.ts";
import type { Colors } from "../terminal.ts";
import { textTable } from "./format.ts";
import { armColumns, fitting } from "./results-columns.ts";

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
  const shown = fitting(armColumns(order), columns);
  const table = textTable(
    shown.map(({ title }) => title),
    order.map((_, row) => shown.map(({ cells }) => at(cells, row, "cells"))),
    shown.map((_, index) => (index === 0 ? "left" : "right")),
    colors,
  );
  const sections = [
    [
      wrapped(
        `Accuracy on the validation images in percent${seeds > 1 ? ", mean ± standard deviation over the seeds" : ""}; best first`,
        columns,
      ),
      table,
    ].join("\n\n"),
    await pairsText(summary, order[0]?.name, { columns, colors }),
    targetsText(order, { columns, colors }),
    sensitivityText(summary, { columns, colors }),
    publishedText(published, colors),
    summary.conclusion ? wrapped(summary.conclusion, Math.min(columns, 100)) : "",
    (summary.notes ?? [])
      .map((note) => wrapped(`Note: ${note}`, Math.min(columns, 100)))
      .join("\n"),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

const signed = (value: number) => `${value < 0 ? "-" : "+"}${percentDigits(Math.abs(value))}`;

/** The leader against each other arm: all pairs are in summary.json. */
async function pairsText(
  { pairs = [] }: SummaryRecord,
  leader: string | undefined,
  layout: ResultsLayout,
): Promise<string> {
  const { colors } = layout;
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
  const rows = found.map((pair) => [
    pair.b,
    signed(pair.mean),
    `${signed(pair.interval.low)} to ${signed(pair.interval.high)}`,
    p(pair.adjustedTP),
    p(pair.adjustedP),
    ...(withImages ? [p(pair.overImages?.adjustedP)] : []),
    String(pair.seeds.length),
    pair.seedsNeeded === null ? "-" : String(pair.seedsNeeded),
  ]);
  const comparisons = comparisonsOf(pairs);
  const corrected = comparisons > 1 ? `, each corrected for ${comparisons} comparisons` : "";
  const images = withImages ? ", and over other images as well" : "";
  const heads = ["minus", "mean", "95% interval", "p, t", "p, flips"];
  const head = [...heads, ...(withImages ? ["p, images"] : []), "seeds", "for 0.8"];
  return [
    wrapped(
      `Final accuracy of ${leader} minus that of each other arm, in points, paired by seed; p by t test and sign-flip test${images}${corrected}; seeds that would give power 0.8`,
      layout.columns,
    ),
    "",
    textTable(head, rows, ["left", ...head.slice(1).map(() => "right" as const)], colors),
  ].join("\n");
}

function targetsText(
  order: SummaryRecord["optimizers"],
  { columns, colors }: ResultsLayout,
): string {
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
    textTable(
      ["arm", ...targets.map(({ target }) => `${Number((target * 100).toFixed(1))}%`)],
      order.map((arm) => [arm.name, ...targets.map((_target, index) => cell(arm, index))]),
      ["left", ...targets.map(() => "right" as const)],
      colors,
    ),
  ].join("\n");
}

/** A row an arm, a column a multiple of its rate. */
function sensitivityText(
  { sensitivity = [] }: SummaryRecord,
  { columns, colors }: ResultsLayout,
): string {
  const factors = [
    ...new Set(sensitivity.flatMap(({ points }) => points.map(({ factor }) => factor))),
  ].sort((a, b) => a - b);
  if (factors.length === 0) return "";
  const rows = sensitivity.map(({ arm, points, widthDecades }) => [
    arm,
    ...factors.map((factor) => {
      const found = points.find((point) => point.factor === factor)?.finalValidationAccuracy;
      return found?.mean == null ? "-" : percentDigits(found.mean);
    }),
    widthDecades === null ? "-" : widthDecades.toFixed(1),
  ]);
  return [
    wrapped(
      "Final accuracy in percent at multiples of each arm's rate; decades of rate within 2 points of its best",
      columns,
    ),
    "",
    textTable(
      ["arm", ...factors.map((factor) => `x ${Number(factor.toPrecision(2))}`), "decades"],
      rows,
      ["left", ...factors.map(() => "right" as const), "right"],
      colors,
    ),
  ].join("\n");
}

function publishedText(table: TextTable | null, colors: Colors): string {
  if (!table) return "";
  const { title, head, rows } = table;
  const sides = head.map((_, column) => (column === 0 ? ("left" as const) : ("right" as const)));
  return [title, "", textTable(head, rows, sides, colors)].join("\n");
}

/** Broken between words; a word longer than the width stands alone. */
export function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
