/** @file Accuracy of each class, a row an arm under each class; and which classes are taken for which. */

import { cutLabelsFor } from "../../arms/arm-labels.ts";
import { at, get } from "../../core/at.ts";
import type { OptimizerSummary, Spread } from "../../record/index.ts";
import { type Drawing, type Figure, isNarrow } from "../draw.ts";
import { percent, percentSpread } from "../format.ts";
import { percentAxis } from "../plot/axes.ts";
import { drawRows, type Row, type RowPlot } from "../plot/row-plot.ts";
import { moved, rect, text } from "../plot/svg.ts";
import { fitted, textWidth, widest } from "../text-width.ts";
import { fractionDomain } from "../ticks.ts";
import type { ReportArm } from "./arms.ts";

/** More classes than this would make a figure that nobody reads to its end. */
const MOST_CLASSES = 20;

/** Of the validation part, or the test part where there is one; null where neither is known. */
export function perClassFigure(
  optimizers: readonly OptimizerSummary[],
  arms: readonly ReportArm[],
  part: "validation" | "test",
): Figure | null {
  const field = part === "test" ? "testPerClass" : "validationPerClass";
  const measured = optimizers.filter((o) => (o[field]?.length ?? 0) > 0);
  const classes = measured[0]?.[field]?.map((entry) => entry.class) ?? [];
  if (measured.length === 0 || classes.length > MOST_CLASSES) return null;
  const rows = classes.flatMap((name, at): Row[] => {
    const own = measured.flatMap((optimizer) => {
      const accuracy = get(optimizer, field, "optimizer")[at]?.accuracy;
      return accuracy && accuracy.mean !== null ? [{ optimizer, accuracy }] : [];
    });
    return own.length === 0
      ? []
      : [
          { name, heading: true, colour: "", value: "" },
          ...own.map(({ optimizer, accuracy }) => rowOf(name, optimizer, accuracy, arms)),
        ];
  });
  const values = rows.flatMap((row) => row.dots?.map((dot) => dot.x) ?? []);
  if (values.length === 0) return null;
  const plot: RowPlot = {
    arms: true,
    axis: percentAxis(`${part} accuracy within the class`, fractionDomain(values)),
    rows,
    row: 22,
  };
  return {
    name: `per-class-${part}`,
    label: `Accuracy of each class on the ${part} part. ${rows
      .map(({ name, value, heading }) => (heading ? `${name}:` : `${name} ${value};`))
      .join(" ")}`,
    draw: (width) => drawRows(plot, width),
  };
}

function rowOf(
  className: string,
  { name, seeds }: OptimizerSummary,
  accuracy: Spread,
  arms: readonly ReportArm[],
): Row {
  return {
    name,
    colour: arms.find((arm) => arm.name === name)?.look.colour ?? "var(--lr-ink)",
    value: percentSpread(accuracy),
    centre: accuracy.mean,
    dots: accuracy.values.flatMap((x, i) =>
      x === null ? [] : [{ x, tip: `${name}, seed ${seeds[i]}, ${className}: ${percent(x)}` }],
    ),
  };
}

/** Counts; rows are true classes, columns what the network said. Summed over the seeds of an arm. */
export interface ConfusionInput {
  readonly arm: string;
  /** As the page calls it. */
  readonly title: string;
  readonly slug: string;
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** Share of each true class; null of too many classes, or of nothing. */
export function confusionFigure({
  arm,
  title,
  slug,
  classes,
  counts,
}: ConfusionInput): Figure | null {
  const total = counts.flat().reduce((a, b) => a + b, 0);
  if (classes.length < 2 || classes.length > MOST_CLASSES || total === 0) return null;
  return {
    name: `confusion-${slug}`,
    label: `Confusion matrix of ${arm}. ${classes
      .map((name, i) => `${name}: ${described(at(counts, i, "counts"), classes)}`)
      .join("; ")}`,
    half: classes.length <= 6,
    draw: (width) => drawConfusion(title, classes, counts, width),
  };
}

function described(row: readonly number[], classes: readonly string[]): string {
  const all = row.reduce((a, b) => a + b, 0);
  return row
    .map((count, i) => ({ name: at(classes, i, "classes"), count }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 3)
    .map(({ name, count }) => `${name} ${percent(count / all)}`)
    .join(", ");
}

function drawConfusion(
  title: string,
  classes: readonly string[],
  counts: readonly (readonly number[])[],
  width: number,
): Drawing {
  const narrow = isNarrow(width);
  const room = narrow ? 84 : 160;
  const label = cutLabelsFor([...new Set(classes)], (of) =>
    classes.every((name) => textWidth(of(name)) <= room),
  );
  const names = classes.map(label);
  const left = 14 + widest(names);
  const cell = Math.min((width - left - 8) / classes.length, 64);
  // Widths are of bold letters, and these are not.
  const upright = widest(names) * 0.76 > cell - 2;
  const top = 44 + (upright ? widest(names) : 8);
  const numbers = cell >= 30;
  const parts: string[] = [
    text(-left, -top + 12, fitted(title, width - 8), { bold: true }),
    text(-left, -top + 28, "row: true class; column: answer; % of the row", {
      fill: "var(--lr-muted)",
    }),
  ];
  for (const [i, name] of names.entries()) {
    const x = (i + 0.5) * cell;
    parts.push(
      text(-8, x, name, { anchor: "end" }),
      upright
        ? `<g transform="translate(${x.toFixed(1)},-8) rotate(-90)">${text(0, 0, name)}</g>`
        : text(x, -10, name, { anchor: "middle" }),
    );
  }
  for (const [i, row] of counts.entries()) {
    const all = row.reduce((a, b) => a + b, 0);
    for (const [j, count] of row.entries()) {
      const part = all === 0 ? 0 : count / all;
      const [x, y] = [j * cell, i * cell];
      parts.push(
        // The cell's frame is there in either colour scheme, its fill says how much.
        rect([x + 1, y + 1], [x + cell - 1, y + cell - 1], { colour: "var(--lr-grid)" }),
        rect([x + 1, y + 1], [x + cell - 1, y + cell - 1], {
          colour: i === j ? "var(--lr-1)" : "var(--lr-2)",
          opacity: Number((i === j ? part : Math.min(1, part * 1.6)).toFixed(3)),
          tip: `${classes[i]} taken for ${classes[j]}: ${count} of ${all} (${percent(part)})`,
        }),
      );
      if (numbers && count > 0)
        parts.push(
          text(x + cell / 2, y + cell / 2, (part * 100).toFixed(0), {
            anchor: "middle",
            bold: i === j,
            fill: (i === j ? part > 0.55 : part > 0.4) ? "var(--lr-paper)" : "var(--lr-ink)",
          }).replace("<text", '<text pointer-events="none"'),
        );
    }
  }
  return {
    width,
    height: Math.ceil(top + classes.length * cell + 10),
    body: moved(left, top, parts),
  };
}
