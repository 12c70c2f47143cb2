/** @file Epochs and seconds to target accuracies: a dot a seed, misses said as misses. */

import { get } from "../../core/at.ts";
import type { OptimizerSummary } from "../../record/index.ts";
import type { Figure } from "../draw.ts";
import { percent } from "../format.ts";
import type { Axis } from "../plot/line-plot.ts";
import { drawRows, type Row, type RowPlot } from "../plot/row-plot.ts";
import { linearTicks } from "../ticks.ts";
import type { ReportArm } from "./arms.ts";

type Unit = "epochs" | "seconds";

/** Epochs, then seconds, each half a page; none where no target was measured, or none was reached. */
export function targetFigures(
  optimizers: readonly OptimizerSummary[],
  arms: readonly ReportArm[],
): Figure[] {
  return (["epochs", "seconds"] as const).flatMap((unit) => {
    const plot = targetPlot(optimizers, arms, unit);
    return plot
      ? [
          {
            name: `time-to-target-${unit}`,
            label: `${unit === "epochs" ? "Epochs" : "Seconds"} to target accuracies. ${describe(plot.rows)}`,
            half: true,
            draw: (width: number) => drawRows(plot, width),
          },
        ]
      : [];
  });
}

function targetPlot(
  optimizers: readonly OptimizerSummary[],
  arms: readonly ReportArm[],
  unit: Unit,
): RowPlot | null {
  const measured = optimizers.filter((o) => o.timeToTarget && o.timeToTarget.length > 0);
  const values = measured.flatMap((o) =>
    get(o, "timeToTarget", "arm").flatMap((target) =>
      target[unit].filter((value) => value !== null),
    ),
  );
  if (values.length === 0) return null;
  const longest = Math.max(...values);
  const per = unit === "epochs" || longest < 180 ? 1 : longest < 3 * 3600 ? 60 : 3600;
  const name =
    unit === "epochs" ? "epochs" : per === 1 ? "seconds" : per === 60 ? "minutes" : "hours";
  const targets = [
    ...new Set(measured.flatMap((o) => get(o, "timeToTarget", "arm").map((t) => t.target))),
  ].sort((a, b) => a - b);
  const rows = targets.flatMap((target): Row[] => {
    const reached = measured
      .map((optimizer) => ({
        optimizer,
        at: get(optimizer, "timeToTarget", "optimizer").find((entry) => entry.target === target),
      }))
      .sort((a, b) => rank(a.at, unit) - rank(b.at, unit));
    return [
      { name: `to ${percent(target).replace(".0%", "%")}`, heading: true, colour: "", value: "" },
      ...reached.map(({ optimizer, at }): Row => {
        const own = at?.[unit] ?? [];
        const hits = own.filter((value) => value !== null);
        const open = at?.openSeeds?.length ?? 0;
        const settled = own.length - open;
        const median = unit === "epochs" ? at?.medianEpochs : at?.medianSeconds;
        return {
          name: optimizer.name,
          colour: arms.find((arm) => arm.name === optimizer.name)?.look.colour ?? "var(--lr-ink)",
          value:
            settled === 0
              ? "not there yet"
              : hits.length === settled
                ? inUnit(median ?? null, { per, unit })
                : hits.length === 0
                  ? `missed by ${settled === 1 ? "its seed" : `all ${settled}`}`
                  : `${settled - hits.length} of ${settled} missed`,
          centre: hits.length > 1 && median !== null ? (median ?? null) : null,
          dots: own.flatMap((value, i) =>
            value === null
              ? []
              : [
                  {
                    x: value,
                    tip: `${optimizer.name}, seed ${optimizer.seeds[i]}: ${percent(target)} after ${inUnit(value, { per, unit })} ${name}`,
                  },
                ],
          ),
        };
      }),
    ];
  });
  return { arms: true, axis: countAxis(`${name} of training`, longest, per), rows, row: 22 };
}

/** Reached by the median seed: by when; else behind those, more seeds first. */
const rank = (
  at:
    | { epochs: (number | null)[]; medianEpochs: number | null; medianSeconds: number | null }
    | undefined,
  unit: Unit,
) => {
  const median = unit === "epochs" ? at?.medianEpochs : at?.medianSeconds;
  return median ?? 1e12 - (at?.epochs.filter((value) => value !== null).length ?? 0);
};

/** Epochs are whole; of less than ten seconds, minutes or hours two digits tell apart what a figure does. */
function inUnit(value: number | null, { per, unit }: { per: number; unit: Unit }): string {
  if (value === null) return "–";
  const shown = value / per;
  if (unit === "epochs" || (per === 1 && shown >= 10)) return String(Math.round(shown));
  return shown.toPrecision(shown < 10 ? 2 : 3);
}

function countAxis(title: string, greatest: number, per: number): Axis {
  const ticks = (count: number) =>
    linearTicks(0, (greatest * 1.04) / per, count).map((at) => ({
      at: at * per,
      text: String(at),
    }));
  return {
    title,
    choice: "",
    format: "count",
    low: 0,
    high: greatest * 1.04,
    log: false,
    ticks: ticks(6),
    fewTicks: ticks(4),
  };
}

const describe = (rows: readonly Row[]) =>
  rows.map(({ name, value, heading }) => (heading ? `${name}:` : `${name} ${value};`)).join(" ");
