/** @file Where the time of a training step goes: a bar a layer, and what the machine would need for it at best. */

import { draw, type Figure } from "../draw.ts";
import { numberAxis } from "../plot/axes.ts";
import { drawRows, type RowPlot } from "../plot/row-plot.ts";

/** Milliseconds of what belongs together, in each part of a step. */
export interface CostRow {
  readonly name: string;
  readonly forwardMs: number;
  readonly backwardMs: number;
  readonly updateMs: number;
  /** What the machine needs at best. */
  readonly leastMs: number;
}

/** More rows than this become one: what is small is small together. */
const MOST_ROWS = 24;

const PARTS = [
  { name: "forward", opacity: 1, of: (row: CostRow) => row.forwardMs },
  { name: "backward", opacity: 0.6, of: (row: CostRow) => row.backwardMs },
  { name: "update", opacity: 0.3, of: (row: CostRow) => row.updateMs },
] as const;

const totalOf = (row: CostRow) => row.forwardMs + row.backwardMs + row.updateMs;

/** "3.21 ms", "0.046 ms" */
export const milliseconds = (ms: number): string =>
  `${ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3)} ms`;

/** The costliest in the order in which they are given, the others as one row. */
export function costliest(rows: readonly CostRow[], most = MOST_ROWS): CostRow[] {
  if (rows.length <= most) return [...rows];
  const kept = new Set([...rows].sort((a, b) => totalOf(b) - totalOf(a)).slice(0, most - 1));
  const others = rows.filter((row) => !kept.has(row));
  const sum = (of: (row: CostRow) => number) => others.reduce((all, row) => all + of(row), 0);
  return [
    ...rows.filter((row) => kept.has(row)),
    {
      name: `${others.length} others`,
      forwardMs: sum((row) => row.forwardMs),
      backwardMs: sum((row) => row.backwardMs),
      updateMs: sum((row) => row.updateMs),
      leastMs: sum((row) => row.leastMs),
    },
  ];
}

/** A bar a row, of up to three parts; a stroke where the machine's best would end it. */
export function stepProfileFigure(costs: readonly CostRow[]): Figure {
  const rows = costliest(costs);
  const total = rows.reduce((sum, row) => sum + totalOf(row), 0);
  const share = (row: CostRow) => `${((totalOf(row) / (total || 1)) * 100).toFixed(1)}%`;
  const greatest = Math.max(1e-6, ...rows.map((row) => Math.max(totalOf(row), row.leastMs)));
  const used = PARTS.filter(({ of }) => rows.some((row) => of(row) > 0));
  const plot: RowPlot = {
    axis: numberAxis("milliseconds of a step, stroke: the machine’s best", [0, greatest]),
    row: 24,
    key: used.map(({ name, opacity }) => ({ text: name, opacity })),
    rows: rows.map((row) => ({
      name: row.name,
      colour: "var(--lr-1)",
      value: `${milliseconds(totalOf(row))}, ${share(row)}`,
      bars: used.flatMap(({ name, opacity, of }, place) => {
        const from = used.slice(0, place).reduce((sum, part) => sum + part.of(row), 0);
        const ms = of(row);
        if (ms <= 0) return [];
        const tip = `${row.name}, ${name}: ${milliseconds(ms)}`;
        return [{ from, to: from + ms, opacity, tip }];
      }),
      centre: row.leastMs,
      centreColour: "var(--lr-2)",
    })),
  };
  const dearest = [...rows].sort((a, b) => totalOf(b) - totalOf(a)).slice(0, 5);
  return {
    name: "step-profile",
    label: `Where a step of ${milliseconds(total)} goes. ${dearest
      .map((row) => `${row.name}: ${milliseconds(totalOf(row))}, ${share(row)}`)
      .join("; ")}`,
    draw: (width) => drawRows(plot, width),
  };
}

/** The figure as the text of an SVG file. */
export const drawStepProfile = (costs: readonly CostRow[]): string =>
  draw(stepProfileFigure(costs)).standalone;
