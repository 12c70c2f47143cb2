/** @file Accuracy against epoch: a line of means and a min-max band for each arm. */

import { bands } from "../../analysis/index.ts";
import { type Chart, type Figure, isNarrow, type Layer, yTitle } from "../draw.ts";
import { percent } from "../format.ts";
import { placeLabels } from "../labels.ts";
import { fitted, widest } from "../text-width.ts";
import { fractionDomain, integerTicks, linearTicks } from "../ticks.ts";
import { curveOf, type ReportArm } from "./arms.ts";

export type AccuracyPart = "training" | "validation";

const LABEL_GAP = 16;

interface Row {
  readonly epoch: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

interface Line {
  readonly arm: ReportArm;
  readonly rows: readonly Row[];
  /** No seed is still under way, and at least one diverged. */
  readonly diverged: boolean;
}

/** With so few epochs each is marked by a dot. */
const FEW_EPOCHS = 15;

/**
 * The figure of one part, or null where no trial has a value. Both parts have the same y axis, so
 * that they may be compared.
 */
export function accuracyFigure(
  arms: readonly ReportArm[],
  part: AccuracyPart,
  epochs: number,
): Figure | null {
  const lines = linesOf(arms, part);
  if (lines.length === 0) return null;
  const both = [...linesOf(arms, "training"), ...linesOf(arms, "validation")];
  const domain = fractionDomain(both.flatMap((line) => line.rows.flatMap((r) => [r.min, r.max])));
  const measured = Math.max(...lines.flatMap((line) => line.rows.map((row) => row.epoch)));
  return {
    name: `accuracy-${part}`,
    label:
      `${part === "training" ? "Training" : "Validation"} accuracy against epoch. ` +
      lines.map(({ arm, rows }) => `${arm.name} ends at ${percent(rows.at(-1)!.mean)}`).join("; "),
    chart: (width) => accuracyChart(lines, part, domain, Math.max(epochs, measured), width),
  };
}

function linesOf(arms: readonly ReportArm[], part: AccuracyPart): Line[] {
  const measure = part === "training" ? "trainAccuracy" : "validationAccuracy";
  return arms.flatMap((arm) => {
    const rows = bands(arm.trials.map(({ metrics }) => curveOf(metrics, measure))).flatMap(
      (point, i) =>
        point ? [{ epoch: i + 1, mean: point.mean, min: point.min, max: point.max }] : [],
    );
    const statuses = arm.trials.map(({ trial }) => trial.status);
    const diverged =
      statuses.includes("diverged") && statuses.every((status) => status === "diverged");
    return rows.length === 0 ? [] : [{ arm, rows, diverged }];
  });
}

function accuracyChart(
  lines: readonly Line[],
  part: AccuracyPart,
  domain: [number, number],
  epochs: number,
  width: number,
): Chart {
  const narrow = isNarrow(width);
  // As many labels as there are lines find room beside them.
  const height = Math.max(narrow ? 280 : 400, lines.length * LABEL_GAP + 90);
  const ends = lines.map((line) => line.rows.at(-1)!);
  const texts = lines.map(({ arm, diverged }, i) => {
    const value = diverged ? " ×" : ` ${percent(ends[i]!.mean)}`;
    return narrow ? fitted(arm.name, 90) : `${fitted(arm.name, 150)}${value}`;
  });
  const right = 18 + widest(texts);
  const margins = { top: 30, right, bottom: 44, left: 40 };
  const plotWidth = width - margins.left - margins.right;
  const plotHeight = height - margins.top - margins.bottom;
  const first = epochs > 1 ? 1 : 0;
  const last = epochs > 1 ? epochs : 2;
  const xAt = (epoch: number) => ((epoch - first) / (last - first)) * plotWidth;
  const yAt = (value: number) => plotHeight * (1 - (value - domain[0]) / (domain[1] - domain[0]));

  const x = {
    field: "epoch",
    type: "quantitative",
    scale: { domain: [first, last], nice: false, zero: false },
    axis: {
      title: "epoch",
      values: epochTicks(epochs, narrow ? 5 : 10),
      format: "d",
    },
  };
  const y = (field: string) => ({
    field,
    type: "quantitative",
    scale: { domain, nice: false, zero: false },
    axis: {
      ...yTitle(`${part} accuracy`, margins.left),
      values: linearTicks(domain[0], domain[1], narrow ? 5 : 8),
      format: ".0%",
    },
  });

  const bandLayers = lines.map(
    ({ arm, rows }): Layer => ({
      data: { values: rows },
      mark: {
        type: "area",
        color: arm.look.colour,
        opacity: Math.min(0.14, 1 / lines.length),
        clip: true,
      },
      encoding: { x, y: y("min"), y2: { field: "max" } },
    }),
  );
  const lineLayers = lines.map(
    ({ arm, rows }): Layer => ({
      data: { values: rows },
      mark: {
        type: "line",
        color: arm.look.colour,
        strokeWidth: 2,
        strokeDash: arm.look.dash,
        strokeJoin: "round",
        strokeCap: "round",
        point: epochs <= FEW_EPOCHS && { size: 26, filled: true, color: arm.look.colour },
      },
      encoding: { x, y: y("mean") },
    }),
  );

  const places = placeLabels(
    ends.map((row) => yAt(row.mean)),
    { gap: LABEL_GAP, low: 4, high: plotHeight - 2 },
  );
  const labels = lines.map(({ arm }, i) => ({
    text: texts[i],
    colour: arm.look.colour,
    x: plotWidth + 16,
    y: places[i]!.placed,
    endX: Math.min(xAt(ends[i]!.epoch) + 9, plotWidth + 3),
    endY: places[i]!.wanted,
    elbow: plotWidth + 13,
  }));
  const pixel = (field: string) => ({ field, type: "quantitative", scale: null, axis: null });
  const coloured = { field: "colour", type: "nominal", scale: null, legend: null };
  const stops = lines.flatMap(({ arm, rows, diverged }) =>
    diverged ? [{ ...rows.at(-1)!, colour: arm.look.colour }] : [],
  );
  return {
    width,
    height,
    margins,
    layers: [
      ...bandLayers,
      ...lineLayers,
      ...(stops.length === 0
        ? []
        : [
            {
              data: { values: stops },
              mark: {
                type: "text",
                text: "×",
                fontSize: 22,
                fontWeight: 600,
                baseline: "middle",
                clip: false,
              },
              encoding: { x, y: y("mean"), color: coloured },
            },
          ]),
      {
        data: { values: labels },
        mark: { type: "rule", strokeWidth: 1, strokeDash: [2, 2], opacity: 0.7 },
        encoding: {
          x: pixel("endX"),
          x2: { field: "elbow" },
          y: pixel("endY"),
          y2: { field: "y" },
          stroke: coloured,
        },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", baseline: "middle", fontWeight: 600 },
        encoding: {
          x: pixel("x"),
          y: pixel("y"),
          text: { field: "text" },
          color: coloured,
        },
      },
    ],
  };
}

/** Epoch 1 and then round numbers, without crowding the first. */
function epochTicks(epochs: number, count: number): number[] {
  if (epochs <= count) return Array.from({ length: epochs }, (_, i) => i + 1);
  const ticks = integerTicks(0, epochs, count).filter((tick) => tick > 0);
  const step = (ticks[1] ?? epochs) - ticks[0]!;
  return ticks[0]! > 1 && step >= 2 ? [1, ...ticks] : ticks;
}
