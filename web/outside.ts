/** @file How much of a chart its vertical axis leaves out: what is cut off is said beneath it. */

import type { LinePlot } from "../src/report/plot/line-plot.ts";
import type { ChartView } from "./chart.ts";
import type { SeedLine } from "./seeds-canvas.ts";

type Values = readonly (number | null)[];

interface Ends {
  readonly least: number;
  readonly greatest: number;
}

/** As long as a line has no new point, its ends stay. */
const ENDS = new WeakMap<Values, Ends>();

function endsOf(values: Values): Ends {
  const known = ENDS.get(values);
  if (known) return known;
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value === null) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const ends = { least, greatest };
  ENDS.set(values, ends);
  return ends;
}

export interface Outside {
  /** Points of the lines, and of single seeds' own. */
  readonly means: number;
  readonly runs: number;
  /** Farthest of them, above and beneath; null where none is there. */
  readonly highest: number | null;
  readonly lowest: number | null;
}

/** Counts the points of what is not hidden that lie beyond the axis that is shown. */
export function outsideOf(
  { y, lines }: Pick<LinePlot, "y" | "lines">,
  view: Pick<ChartView, "y" | "hidden">,
  seeds: readonly Pick<SeedLine, "key" | "y">[],
): Outside {
  const axis = y[view.y] ?? y[0];
  let [highest, lowest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (!axis) return { means: 0, runs: 0, highest: null, lowest: null };
  const { low, high } = axis;
  const count = (all: readonly { readonly key: string; readonly y: Values }[]) => {
    let sum = 0;
    for (const { key, y: values } of all) {
      if (view.hidden.includes(key)) continue;
      const { least, greatest } = endsOf(values);
      if (greatest <= high && least >= low) continue;
      for (const value of values) if (value !== null && (value > high || value < low)) sum++;
      if (greatest > high) highest = Math.max(highest, greatest);
      if (least < low) lowest = Math.min(lowest, least);
    }
    return sum;
  };
  const means = count(lines.filter(({ silent = false }) => !silent));
  const runs = count(seeds);
  return {
    ...{ means, runs },
    highest: Number.isFinite(highest) ? highest : null,
    lowest: Number.isFinite(lowest) ? lowest : null,
  };
}

/** Choices of the vertical axis that show what the one that is shown leaves out. */
export const othersOf = ({ y }: Pick<LinePlot, "y">, shown: number): string[] =>
  y.flatMap(({ choice }, i) => (i !== shown && choice !== "linear" ? [choice] : []));

const rounded = (value: number) => String(Number(value.toPrecision(3)));

/** What the two kinds of points are called. */
export interface PointNames {
  readonly means: string;
  readonly runs: string;
}
const OF_A_STUDY: PointNames = { means: "of means", runs: "of single runs" };

/**
 * "7 points lie outside of this axis (2 of means, 5 of single runs; up to 1.2e+3)", and how they are seen; "" of none.
 * @param others choices that show them: "log", "whole"
 */
export function outsideText(
  { means, runs, highest, lowest }: Outside,
  others: readonly string[],
  names: PointNames = OF_A_STUDY,
): string {
  const all = means + runs;
  if (all === 0) return "";
  const ends = [
    highest !== null && `up to ${rounded(highest)}`,
    lowest !== null && `down to ${rounded(lowest)}`,
  ].filter(Boolean);
  const parts = [means > 0 && `${means} ${names.means}`, runs > 0 && `${runs} ${names.runs}`];
  const shown = others.map((other) => `“${other}”`).join(" or ");
  return `${all} ${all === 1 ? "point lies" : "points lie"} outside of this axis (${parts.filter(Boolean).join(", ")}; ${ends.join(", ")})${shown === "" ? "" : `; ${shown} shows all`}.`;
}
