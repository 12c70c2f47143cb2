/** @file How many images each class has, training and validation. */

import { at } from "../../core/at.ts";
import type { DatasetRecord } from "../../record/index.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { counted, grouped } from "../format.ts";
import type { Axis } from "../plot/line-plot.ts";
import { drawRows, type RowPlot } from "../plot/row-plot.ts";
import { linearTicks } from "../ticks.ts";

/** More classes than this are drawn as a silhouette, most images first, without their names. */
export const NAMED_CLASSES = 60;

/** null where no class is known. */
export function classesFigure(dataset: DatasetRecord): Figure | null {
  const { classes } = dataset;
  if (classes.length === 0) return null;
  const label = `Images a class. ${classes
    .slice(0, NAMED_CLASSES)
    .map((entry) => `${entry.name}: ${grouped(entry.count)}`)
    .join("; ")}`;
  if (classes.length > NAMED_CLASSES) return silhouette(dataset, label);
  const plot = barsPlot(dataset);
  return { name: "classes", label, draw: (width) => drawRows(plot, width) };
}

function barsPlot({ classes }: DatasetRecord): RowPlot {
  const greatest = Math.max(1, ...classes.map(({ count }) => count));
  return {
    bare: true,
    axis: countAxis("images", greatest),
    row: classes.length > 20 ? 20 : 28,
    key: [
      { text: "training", opacity: 1 },
      { text: "validation", opacity: 0.4 },
    ],
    rows: classes.map(({ name, count, train, validation }) => ({
      name,
      colour: "var(--lr-1)",
      value: grouped(count),
      bars: [
        { from: 0, to: train, opacity: 1, tip: `${name}: ${grouped(train)} to train` },
        {
          from: train,
          to: train + validation,
          opacity: 0.4,
          tip: `${name}: ${grouped(validation)} to validate`,
        },
      ],
    })),
  };
}

const countAxis = (title: string, high: number): Axis => {
  const ticks = linearTicks(0, high, 6).map((at) => ({ at, text: grouped(at) }));
  return { title, choice: "", format: "count", low: 0, high, log: false, ticks, fewTicks: ticks };
};

function silhouette({ classes }: DatasetRecord, label: string): Figure {
  const counts = classes.map(({ count }) => count).sort((a, b) => b - a);
  const greatest = Math.max(1, at(counts, 0, "counts"));
  const frame = { height: 240, top: 30, right: 16, bottom: 46, left: 52 };
  // Steps: each class is one unit wide.
  const x = counts.flatMap((_, rank) => [rank, rank + 1]);
  const y = counts.flatMap((count) => [count, count]);
  return lineFigure(
    {
      name: "classes",
      x: [{ ...countAxis(`${counted(counts.length, "class")}, most images first`, counts.length) }],
      y: [countAxis("images", greatest)],
      frames: [frame, frame],
      lines: [
        {
          key: "images",
          name: "images",
          colour: "var(--lr-1)",
          dash: [1, 0],
          x: [x],
          y,
          bands: { images: { low: y.map(() => 0), high: y } },
        },
      ],
      bands: [{ name: "images", choice: "images" }],
    },
    { label },
  );
}
