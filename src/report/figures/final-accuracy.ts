/** @file Final validation accuracy, or the best: a dot for each seed, a stroke at their mean, its 95% interval. */

import { ranked } from "../../analysis/index.ts";
import type { OptimizerSummary } from "../../record/index.ts";
import type { Figure } from "../draw.ts";
import { percent, percentSpread } from "../format.ts";
import { percentAxis } from "../plot/axes.ts";
import { drawRows, type RowPlot } from "../plot/row-plot.ts";
import { capital, type JudgedBy, MEASURE_NAMES, REPORTED } from "../standings.ts";
import { fractionDomain } from "../ticks.ts";
import type { ReportArm } from "./arms.ts";

/**
 * null where no trial has a value, or a single one has. The best on top.
 * @param by default the accuracy after the last epoch, of trials that are done
 */
export function finalAccuracyFigure(
  optimizers: readonly OptimizerSummary[],
  arms: readonly ReportArm[],
  by: JudgedBy = REPORTED.by,
): Figure | null {
  const measured = ranked(optimizers, by).filter((optimizer) => optimizer[by].mean !== null);
  const values = measured.flatMap((o) => o[by].values).filter((value) => value !== null);
  if (values.length < 2) return null;
  const spreads = measured.map((o) => o[by]);
  // An interval of two or three seeds may be many times as long as their reach: it is cut off
  // where it would make dots of the rest.
  const [low, high] = fractionDomain(values);
  const room = 0.5 * (high - low);
  const ends = spreads.flatMap(({ interval }) => (interval ? [interval.low, interval.high] : []));
  const domain = fractionDomain([
    ...values,
    ...ends.map((end) => Math.min(Math.max(end, low - room, 0), high + room, 1)),
  ]);
  const plot: RowPlot = {
    arms: true,
    axis: percentAxis(MEASURE_NAMES[by], domain),
    rows: measured.map((optimizer) => {
      const { name, seeds, [by]: final } = optimizer;
      const own = final.values.filter((value) => value !== null);
      return {
        name,
        colour: arms.find((arm) => arm.name === name)?.look.colour ?? "var(--lr-ink)",
        value: percentSpread(final),
        centre: final.mean,
        interval: final.interval ?? null,
        reach: final.interval ? null : ([Math.min(...own), Math.max(...own)] as const),
        dots: final.values.flatMap((x, i) =>
          x === null ? [] : [{ x, tip: `${name}, seed ${seeds[i]}: ${percent(x)}` }],
        ),
      };
    }),
  };
  return {
    name: "final-accuracy",
    label: `${capital(MEASURE_NAMES[by])} of each seed. ${measured
      .map((o) => `${o.name}: ${percentSpread(o[by])}`)
      .join("; ")}`,
    draw: (width) => drawRows(plot, width),
  };
}
