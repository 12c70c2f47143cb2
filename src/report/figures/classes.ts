/** @file How many images each class has, training and validation. */

import type { DatasetRecord } from "../../record/index.ts";
import { type Chart, type Figure, isNarrow, yTitle } from "../draw.ts";
import { counted, grouped } from "../format.ts";
import { fitted, widest } from "../text-width.ts";
import { linearTicks } from "../ticks.ts";

/** More classes than this are drawn as a silhouette, most images first, without their names. */
export const NAMED_CLASSES = 60;

/** null where no class is known. */
export function classesFigure(dataset: DatasetRecord): Figure | null {
  if (dataset.classes.length === 0) return null;
  const label =
    "Images a class. " +
    dataset.classes
      .slice(0, NAMED_CLASSES)
      .map((entry) => `${entry.name}: ${grouped(entry.count)}`)
      .join("; ");
  return {
    name: "classes",
    label,
    chart: (width) =>
      dataset.classes.length > NAMED_CLASSES
        ? silhouetteChart(dataset, width)
        : barsChart(dataset, width),
  };
}

function barsChart({ classes }: DatasetRecord, width: number): Chart {
  const narrow = isNarrow(width);
  const row = classes.length > 20 ? 20 : 28;
  const names = classes.map(({ name }) => fitted(name, narrow ? 110 : 220));
  const margins = {
    top: 30,
    right: 12 + widest(classes.map(({ count }) => grouped(count))),
    bottom: 8,
    left: 10 + widest(names),
  };
  const height = margins.top + margins.bottom + classes.length * row;
  const plotWidth = width - margins.left - margins.right;
  const greatest = Math.max(1, ...classes.map(({ count }) => count));
  const rows = classes.map(({ count, train, validation }, i) => ({
    name: names[i],
    text: grouped(count),
    zero: 0,
    train: (train / greatest) * plotWidth,
    all: ((train + validation) / greatest) * plotWidth,
    top: i * row + 4,
    bottom: (i + 1) * row - 4,
    middle: (i + 0.5) * row,
  }));
  const pixel = (field: string) => ({ field, type: "quantitative", scale: null, axis: null });
  const bar = (from: string, to: string, opacity: number) => ({
    data: { values: rows },
    mark: { type: "rect", color: "var(--lr-1)", opacity },
    encoding: { x: pixel(from), x2: { field: to }, y: pixel("top"), y2: { field: "bottom" } },
  });
  const key = [
    { text: "training", x: 0, box: 0, opacity: 1 },
    { text: "validation", x: 84, box: 84, opacity: 0.4 },
  ];
  return {
    width,
    height,
    margins,
    layers: [
      bar("zero", "train", 1),
      bar("train", "all", 0.4),
      {
        data: { values: rows },
        mark: { type: "text", align: "right", baseline: "middle" },
        encoding: { x: { value: -8 }, y: pixel("middle"), text: { field: "name" } },
      },
      {
        data: { values: rows },
        mark: { type: "text", align: "left", baseline: "middle", dx: 6, fill: "var(--lr-muted)" },
        encoding: { x: pixel("all"), y: pixel("middle"), text: { field: "text" } },
      },
      ...key.map(({ text, x, opacity }) => ({
        data: { values: [{ x, x2: x + 12, text }] },
        layer: [
          {
            mark: { type: "rect", color: "var(--lr-1)", opacity },
            encoding: { x: pixel("x"), x2: { field: "x2" }, y: { value: -22 }, y2: { value: -10 } },
          },
          {
            mark: {
              type: "text",
              align: "left",
              baseline: "middle",
              dx: 5,
              fill: "var(--lr-muted)",
            },
            encoding: { x: pixel("x2"), y: { value: -16 }, text: { field: "text" } },
          },
        ],
      })),
    ],
  };
}

function silhouetteChart({ classes }: DatasetRecord, width: number): Chart {
  const counts = classes.map(({ count }) => count).sort((a, b) => b - a);
  const points = [...counts, counts.at(-1)!].map((count, rank) => ({ rank, count }));
  const greatest = Math.max(1, counts[0]!);
  return {
    width,
    height: 240,
    margins: { top: 30, right: 16, bottom: 44, left: 52 },
    layers: [
      {
        data: { values: points },
        mark: { type: "area", color: "var(--lr-1)", interpolate: "step-after", opacity: 0.85 },
        encoding: {
          x: {
            field: "rank",
            type: "quantitative",
            scale: { domain: [0, counts.length], nice: false },
            axis: {
              title: `${counted(counts.length, "class")}, most images first`,
              values: linearTicks(0, counts.length, 6),
            },
          },
          y: {
            field: "count",
            type: "quantitative",
            scale: { domain: [0, greatest], nice: false },
            axis: { ...yTitle("images", 52), values: linearTicks(0, greatest, 5), format: ",d" },
          },
        },
      },
    ],
  };
}
