/** @file One row an arm, or a class, against a shared axis: dots, intervals and bars. */

import { cutLabelsFor, type Labels, labelsFor } from "../../arms/arm-labels.ts";
import { at } from "../../core/at.ts";
import { type Drawing, isNarrow } from "../draw.ts";
import { fitted, textWidth, widest, wrapped, wraps } from "../text-width.ts";
import type { Axis } from "./line-plot.ts";
import { pixelOf } from "./line-plot.ts";
import { circle, moved, rect, rule, text } from "./svg.ts";

/** Pixels from one line of a name to the next. */
const LINE = 14;

export interface Row {
  readonly name: string;
  /** Of a difference: what is taken from it. */
  readonly minus?: string;
  /** A row that only says this: what the rows under it have in common. */
  readonly heading?: boolean;
  readonly colour: string;
  /** To the right of the plot. */
  readonly value: string;
  readonly dots?: readonly { readonly x: number; readonly tip: string; readonly open?: boolean }[];
  /** A stroke. */
  readonly centre?: number | null;
  /** Of the stroke; default: the row's. */
  readonly centreColour?: string;
  /** A line with ends: an interval. */
  readonly interval?: { readonly low: number; readonly high: number } | null;
  /** A thin line behind the dots: least to greatest. */
  readonly reach?: readonly [number, number] | null;
  readonly bars?: readonly {
    readonly from: number;
    readonly to: number;
    readonly opacity: number;
    readonly tip: string;
  }[];
  readonly tip?: string;
}

export interface RowPlot {
  /** Names are of arms: where there is little room, shortened to what tells them apart. */
  readonly arms?: boolean;
  readonly axis: Axis;
  readonly rows: readonly Row[];
  /** Pixels a row; default 30. */
  readonly row?: number;
  /** A value of the axis that is marked from top to bottom: no difference. */
  readonly reference?: number;
  /** At the ends of the axis, above the plot: what lies to which side. */
  readonly sides?: readonly [left: string, right: string];
  /** The same where there is little room. */
  readonly briefSides?: readonly [left: string, right: string];
  /** Beneath: what a bar's parts are. */
  readonly key?: readonly { readonly text: string; readonly opacity: number }[];
  /** The axis has no numbers: each bar is labelled. */
  readonly bare?: boolean;
}

/** Every second tick, or third, where there is no room for all of their labels. */
function apart(ticks: Axis["ticks"], width: number): Axis["ticks"] {
  const most = Math.max(
    1,
    Math.floor(width / (widest(ticks.map(({ text: label }) => label)) + 10)),
  );
  const every = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => i % every === 0);
}

/** "a", or "a − b" of a difference. */
const named = ({ name, minus }: Row, label: Labels) =>
  minus === undefined ? label(name) : `${label(name)} − ${label(minus)}`;

/** Labels with which each row's name fits on two lines, and differs from the others'. */
function labelsOf({ rows, arms = false }: RowPlot, room: number): Labels {
  const own = rows.filter(({ heading }) => !heading);
  const names = own.flatMap(({ name, minus }) => (minus === undefined ? [name] : [name, minus]));
  return (arms ? labelsFor : cutLabelsFor)([...new Set(names)], (label) =>
    own.every((row) => wraps(named(row, label), room)),
  );
}

export function drawRows(plot: RowPlot, width: number): Drawing {
  const narrow = isNarrow(width);
  const { axis, rows } = plot;
  const nameRoom = narrow ? (plot.reference === undefined ? 112 : 150) : 230;
  const label = labelsOf(plot, nameRoom);
  const names = rows.map((row) =>
    row.heading ? [fitted(row.name, width - 20)] : wrapped(named(row, label), nameRoom),
  );
  const lines = names.filter((_, i) => !at(rows, i, "rows").heading).flat();
  // Two lines of a name need the height of two.
  const row = Math.max(plot.row ?? 30, names.some((lines) => lines.length > 1) ? 38 : 0);
  const top = plot.sides || plot.key ? 30 : 12;
  const bottom = plot.bare ? 8 : 44;
  const left = 14 + widest(lines);
  const right = 16 + widest(rows.map(({ value }) => value));
  const plotWidth = width - left - right;
  const plotHeight = rows.length * row;
  const xAt = (value: number) => Math.min(Math.max(pixelOf(axis, value, plotWidth), 0), plotWidth);
  const parts: string[] = [];
  // On a phone without what follows a comma, and within the figure though the plot be small.
  const title = narrow ? axis.title.replace(/,.*/, "") : axis.title;
  const half = textWidth(title) * 0.45;
  const middle = Math.max(Math.min(plotWidth / 2, plotWidth + right - half), half - left);
  const muted = "var(--lr-muted)";
  if (!plot.bare) {
    for (const { at, text: label } of apart(narrow ? axis.fewTicks : axis.ticks, plotWidth)) {
      const x = pixelOf(axis, at, plotWidth);
      parts.push(
        rule([x, 0], [x, plotHeight], { colour: "var(--lr-grid)" }),
        text(x, plotHeight + 14, label, { anchor: "middle", fill: muted }),
      );
    }
    parts.push(
      rule([0, plotHeight], [plotWidth, plotHeight], { colour: "var(--lr-axis)" }),
      text(middle, plotHeight + 33, title, { anchor: "middle", fill: muted }),
    );
  }
  if (plot.reference !== undefined)
    parts.push(
      rule([xAt(plot.reference), 0], [xAt(plot.reference), plotHeight], {
        colour: "var(--lr-muted)",
        width: 1.25,
      }),
    );
  if (plot.sides) {
    const [before, after] = (narrow ? plot.briefSides : null) ?? plot.sides;
    parts.push(
      text(0, -14, before, { fill: muted }),
      text(plotWidth, -14, after, { fill: muted, anchor: "end" }),
    );
  }
  for (const [i, { text: label, opacity }] of (plot.key ?? []).entries())
    parts.push(
      rect([i * 92, -20], [i * 92 + 11, -9], { colour: "var(--lr-1)", opacity }),
      text(i * 92 + 16, -14, label, { fill: muted }),
    );
  for (const [i, entry] of rows.entries()) {
    const y = (i + 0.5) * row;
    if (entry.heading) {
      parts.push(
        text(-left, y + 3, at(at(names, i, "names"), 0, "lines"), { bold: true }),
        ...(i > 0
          ? [
              rule([-left, i * row + 1], [plotWidth + right, i * row + 1], {
                colour: "var(--lr-grid)",
              }),
            ]
          : []),
      );
      continue;
    }
    const { colour } = entry;
    const tall = Math.min(8, row / 2 - 4);
    for (const { from, to, opacity, tip } of entry.bars ?? [])
      parts.push(
        rect([xAt(from), y - row / 2 + 4], [xAt(to), y + row / 2 - 4], { colour, opacity, tip }),
      );
    if (entry.reach)
      parts.push(
        rule([xAt(entry.reach[0]), y], [xAt(entry.reach[1]), y], {
          colour,
          width: 2,
          opacity: 0.35,
        }),
      );
    if (entry.interval) {
      const ends = [xAt(entry.interval.low), xAt(entry.interval.high)];
      parts.push(rule([at(ends, 0, "ends"), y], [at(ends, 1, "ends"), y], { colour, width: 1.5 }));
      for (const x of ends) parts.push(rule([x, y - 5], [x, y + 5], { colour, width: 1.5 }));
    }
    for (const { x, tip, open } of entry.dots ?? [])
      parts.push(
        open
          ? circle(xAt(x), y, 4, { colour: "var(--lr-paper)", tip }).replace(
              "<circle",
              `<circle stroke="${colour}" stroke-width="1.5"`,
            )
          : circle(xAt(x), y, 4.5, { colour, opacity: 0.7, tip }),
      );
    if (entry.centre !== null && entry.centre !== undefined)
      parts.push(
        rule([xAt(entry.centre), y - tall], [xAt(entry.centre), y + tall], {
          colour: entry.centreColour ?? colour,
          width: 3,
        }),
      );
    // The whole row answers to the pointer.
    if (entry.tip)
      parts.push(
        rect([-left, y - row / 2], [0, y + row / 2], { colour: "transparent", tip: entry.tip }),
      );
    const value = entry.bars
      ? Math.max(0, ...entry.bars.map(({ to }) => xAt(to))) + 6
      : plotWidth + 12;
    parts.push(
      ...at(names, i, "names").map((line, at, { length }) =>
        text(-10, y + (at - (length - 1) / 2) * LINE, line, {
          anchor: "end",
          ...(entry.bars ? {} : { fill: colour, bold: true }),
        }),
      ),
      text(value, y, entry.value, entry.bars ? { fill: muted } : {}),
    );
  }
  return { width, height: top + plotHeight + bottom, body: moved(left, top, parts) };
}
