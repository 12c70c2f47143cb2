/** @file How often a network is right, against how sure it is. */

import type { Calibration } from "../../record/index.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { counted, percent, short } from "../format.ts";
import { percentAxis } from "../plot/axes.ts";
import type { Line } from "../plot/line-plot.ts";
import { framesFor } from "./curves.ts";

/** A dot a bin, at its mean confidence; the dashed line is where each would lie. null of no answers. */
export function calibrationFigure({ error, bins }: Calibration): Figure | null {
  const used = bins.flatMap(({ images, confidence, accuracy }) =>
    confidence === null || accuracy === null ? [] : [{ images, confidence, accuracy }],
  );
  if (used.length === 0) return null;
  const lines: Line[] = [
    {
      key: "as sure as right",
      name: "as sure as right",
      colour: "var(--lr-axis)",
      dash: [4, 4],
      width: 1.5,
      x: [[0, 1]],
      y: [0, 1],
      silent: true,
    },
    {
      key: "answers",
      name: "right answers",
      colour: "var(--lr-1)",
      dash: [1, 0],
      x: [used.map(({ confidence }) => short(confidence) ?? 0)],
      y: used.map(({ accuracy }) => short(accuracy)),
      dots: true,
    },
  ];
  const ends = [0, 1] as const;
  return lineFigure(
    {
      name: "calibration",
      x: [percentAxis("mean probability of the answers", ends)],
      y: [percentAxis("answers that are right", ends)],
      frames: framesFor(lines),
      lines,
      bands: [],
    },
    {
      label: `Answers that are right, against their mean probability; expected calibration error ${percent(error)}. ${used
        .map(
          ({ images, confidence, accuracy }) =>
            `${counted(images, "image")} at ${percent(confidence)}: ${percent(accuracy)}`,
        )
        .join("; ")}`,
    },
  );
}
