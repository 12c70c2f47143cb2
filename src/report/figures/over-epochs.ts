/** @file An accuracy against epoch, of arms and of whatever is set beside them: for sections that are added. */

import { spreadOf } from "../../analysis/index.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { percent, short } from "../format.ts";
import { epochAxis, percentAxis } from "../plot/axes.ts";
import type { Line } from "../plot/line-plot.ts";
import { fractionDomain } from "../ticks.ts";
import { curveOf, type ReportArm } from "./arms.ts";
import { framesFor } from "./curves.ts";
import { type EndLabels, endLabels } from "./end-labels.ts";

/** Curves that are drawn as one line: their mean with a band from least to greatest. */
export interface AccuracyCurves {
  /** Lines of one key are shown and hidden together. */
  readonly key: string;
  readonly name: string;
  /** Where the name is long, what legend and hover call it; default: the name. */
  readonly label?: string;
  readonly colour: string;
  /** Pixels of line and gap; [1, 0] is solid. */
  readonly dash: readonly number[];
  /** Of the line, in pixels. */
  readonly width: number;
  /** Index 0 is epoch 1; 0 .. 1, null where there is no value. */
  readonly mean: readonly (number | null)[];
  readonly least: readonly (number | null)[];
  readonly greatest: readonly (number | null)[];
  /** Values at each epoch. */
  readonly count: readonly number[];
  /** Names the line where it ends; default false. */
  readonly labelled?: boolean;
}

/** Validation accuracy of an arm over its seeds, solid; null where no trial has a value. */
export function curvesOfArm(arm: ReportArm): AccuracyCurves | null {
  const runs = arm.trials.map(({ metrics }) => curveOf(metrics, "validationAccuracy"));
  const length = Math.max(0, ...runs.map((curve) => curve.length));
  const spreads = Array.from({ length }, (_, i) => spreadOf(runs.map((curve) => curve[i] ?? null)));
  const own = spreads.map(({ values }) => values.filter((value) => value !== null));
  if (spreads.every(({ mean }) => mean === null)) return null;
  return {
    key: arm.name,
    name: arm.name,
    label: arm.label,
    colour: arm.look.colour,
    dash: [1, 0],
    width: 2.5,
    mean: spreads.map(({ mean }) => mean),
    least: own.map((values) => (values.length > 0 ? Math.min(...values) : null)),
    greatest: own.map((values) => (values.length > 0 ? Math.max(...values) : null)),
    count: own.map((values) => values.length),
    labelled: true,
  };
}

/** The curves on axes that hold all of them and their bands; null where there are none. */
export function accuracyFigure(
  curves: readonly AccuracyCurves[],
  { name, title, label }: { readonly name: string; readonly title: string; readonly label: string },
): Figure | null {
  if (curves.length === 0) return null;
  const labels = endLabels(curves.flatMap(({ name, labelled }) => (labelled ? [name] : [])));
  const lines = curves.map((each) => lineOf(each, labels));
  const values = lines.flatMap(({ y, bands }) => [
    ...y,
    ...Object.values(bands ?? {}).flatMap(({ low, high }) => [...low, ...high]),
  ]);
  return lineFigure(
    {
      name,
      x: [epochAxis(Math.max(...curves.map(({ mean }) => mean.length)))],
      y: [percentAxis(title, fractionDomain(values.filter((value) => value !== null)))],
      frames: framesFor(lines),
      lines,
      bands: [
        { name: "", choice: "no band" },
        { name: "range", choice: "least to greatest" },
      ],
    },
    { label },
  );
}

function lineOf(curves: AccuracyCurves, labels: EndLabels): Line {
  const {
    key,
    name,
    label = name,
    colour,
    dash,
    width,
    mean,
    least,
    greatest,
    count,
    labelled,
  } = curves;
  const last = mean.findLast((value) => value !== null);
  const [wide, narrow] = labels(name);
  return {
    key,
    name: label,
    ...(label === name ? {} : { legend: label }),
    colour,
    dash,
    width,
    x: [mean.map((_, i) => i + 1)],
    y: mean.map(short),
    n: count,
    bands: { range: { low: least.map(short), high: greatest.map(short) } },
    ...(labelled && last !== undefined && last !== null
      ? { labels: [`${wide} ${percent(last)}`, narrow] as const }
      : {}),
  };
}
