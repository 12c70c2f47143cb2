/** @file Paired differences between arms: a forest plot. */

import { isApart } from "../../analysis/index.ts";
import { get } from "../../core/at.ts";
import type { PairedDifference } from "../../record/index.ts";
import type { Figure } from "../draw.ts";
import { points as inPoints, signedPoints } from "../format.ts";
import type { Axis } from "../plot/line-plot.ts";
import { drawRows, type RowPlot } from "../plot/row-plot.ts";
import { measureOf } from "../standings.ts";
import { linearTicks } from "../ticks.ts";

/** More pairs than this are in the table alone. */
const MOST_PAIRS = 28;

/** Mean differences of every pair, with their intervals; null where no pair has a common seed. */
export function pairedFigure(pairs: readonly PairedDifference[]): Figure | null {
  const measured = pairs.filter((pair) => pair.mean !== null);
  if (measured.length === 0 || measured.length > MOST_PAIRS) return null;
  const differences = measured.flatMap((pair) => pair.differences);
  const widest = Math.max(...differences.map(Math.abs), 0.005);
  const ends = measured.flatMap(({ interval }) => (interval ? [interval.low, interval.high] : []));
  const reach = Math.min(Math.max(widest, ...ends.map(Math.abs)), 2.5 * widest) * 1.06;
  const plot: RowPlot = {
    arms: true,
    axis: pointsAxis(reach, measureOf(measured)),
    reference: 0,
    sides: ["← the second is higher", "the first is higher →"],
    briefSides: ["← second", "first →"],
    row: 26,
    rows: measured.map((pair) => {
      // Of many intervals some leave out zero by chance: the colour is that of the corrected tests.
      const clear = isApart(pair);
      return {
        name: pair.a,
        minus: pair.b,
        colour: clear ? "var(--lr-1)" : "var(--lr-muted)",
        value: `${signedPoints(get(pair, "mean", "pair"))}${pair.interval ? ` [${inPoints(pair.interval.low)}, ${inPoints(pair.interval.high)}]` : ""}`,
        centre: pair.mean,
        interval: pair.interval,
        dots: pair.differences.map((x, i) => ({
          x,
          tip: `${pair.a} − ${pair.b}, seed ${pair.seeds[i]}: ${signedPoints(x)} points`,
        })),
      };
    }),
  };
  return {
    name: "paired-differences",
    label: `Paired differences of ${measureOf(measured)}, percentage points, with 95% intervals. ${plot.rows
      .map(({ name, minus, value }) => `${name} − ${minus}: ${value}`)
      .join("; ")}`,
    draw: (width) =>
      drawRows(width < 600 ? { ...plot, rows: plot.rows.map(withoutInterval) } : plot, width),
  };
}

/** On a phone the interval is drawn, and not written too. */
const withoutInterval = (row: RowPlot["rows"][number]) => ({
  ...row,
  value: row.value.replace(/ \[.*/, ""),
});

function pointsAxis(reach: number, measure: string): Axis {
  const ticks = (count: number) =>
    linearTicks(-reach, reach, count).map((at) => ({
      at,
      text: signedPoints(at).replace(/\.0$/, ""),
    }));
  return {
    title: `difference of ${measure}, percentage points`,
    choice: "",
    format: "percent",
    low: -reach,
    high: reach,
    log: false,
    ticks: ticks(8),
    fewTicks: ticks(4),
  };
}
