/** @file Final validation accuracy: a dot for each seed, a stroke at their mean. */

import type { OptimizerSummary } from "../../record/index.ts";
import { type Chart, type Figure, isNarrow } from "../draw.ts";
import { percentSpread } from "../format.ts";
import { fitted, widest } from "../text-width.ts";
import { fractionDomain, linearTicks } from "../ticks.ts";
import type { ReportArm } from "./arms.ts";

const ROW = 30;

/** null where no trial is done, or a single one is. Best mean on top. */
export function finalAccuracyFigure(
  optimizers: readonly OptimizerSummary[],
  arms: readonly ReportArm[],
): Figure | null {
  const measured = optimizers
    .filter((optimizer) => optimizer.finalValidationAccuracy.mean !== null)
    .sort((a, b) => b.finalValidationAccuracy.mean! - a.finalValidationAccuracy.mean!);
  const values = measured.flatMap((o) => o.finalValidationAccuracy.values);
  if (values.filter((value) => value !== null).length < 2) return null;
  return {
    name: "final-accuracy",
    label:
      "Final validation accuracy of each seed. " +
      measured
        .map(({ name, finalValidationAccuracy: f }) => `${name}: ${percentSpread(f)}`)
        .join("; "),
    chart: (width) => finalAccuracyChart(measured, arms, width),
  };
}

function finalAccuracyChart(
  measured: readonly OptimizerSummary[],
  arms: readonly ReportArm[],
  width: number,
): Chart {
  const narrow = isNarrow(width);
  const names = measured.map(({ name }) => fitted(name, narrow ? 96 : 190));
  const values = measured.map(({ finalValidationAccuracy: f }) => percentSpread(f));
  const margins = { top: 12, right: 16 + widest(values), bottom: 44, left: 20 + widest(names) };
  const height = margins.top + margins.bottom + measured.length * ROW;
  const plotWidth = width - margins.left - margins.right;
  const rows = measured.map(({ name, finalValidationAccuracy: f }, i) => ({
    name: names[i],
    y: (i + 0.5) * ROW,
    top: (i + 0.5) * ROW - 8,
    bottom: (i + 0.5) * ROW + 8,
    mean: f.mean,
    least: Math.min(...f.values.filter((value) => value !== null)),
    greatest: Math.max(...f.values.filter((value) => value !== null)),
    text: values[i],
    colour: arms.find((arm) => arm.name === name)?.look.colour ?? "var(--lr-ink)",
  }));
  const dots = measured.flatMap(({ finalValidationAccuracy: f }, i) =>
    f.values.flatMap((value) =>
      value === null ? [] : [{ value, y: rows[i]!.y, colour: rows[i]!.colour }],
    ),
  );
  const domain = fractionDomain(dots.map((dot) => dot.value));
  const x = (field: string) => ({
    field,
    type: "quantitative",
    scale: { domain, nice: false, zero: false },
    axis: {
      title: "final validation accuracy",
      values: linearTicks(domain[0], domain[1], narrow ? 4 : 8),
      format: ".0%",
      grid: true,
    },
  });
  const y = (field: string) => ({
    field,
    type: "quantitative",
    scale: null,
    axis: null,
  });
  const colour = { field: "colour", type: "nominal", scale: null, legend: null };
  return {
    width,
    height,
    margins,
    layers: [
      {
        data: { values: rows },
        mark: { type: "rule", strokeWidth: 2, opacity: 0.35 },
        encoding: { x: x("least"), x2: { field: "greatest" }, y: y("y"), stroke: colour },
      },
      {
        data: { values: dots },
        mark: { type: "circle", size: 70, opacity: 0.75 },
        encoding: { x: x("value"), y: y("y"), color: colour },
      },
      {
        data: { values: rows },
        mark: { type: "rule", strokeWidth: 3 },
        encoding: { x: x("mean"), y: y("top"), y2: { field: "bottom" }, stroke: colour },
      },
      {
        data: { values: rows },
        mark: { type: "text", align: "right", baseline: "middle", fontWeight: 600 },
        encoding: { x: { value: -12 }, y: y("y"), text: { field: "name" }, color: colour },
      },
      {
        data: { values: rows },
        mark: { type: "text", align: "left", baseline: "middle" },
        encoding: { x: { value: plotWidth + 12 }, y: y("y"), text: { field: "text" } },
      },
    ],
  };
}
