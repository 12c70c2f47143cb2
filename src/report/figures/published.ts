/** @file Our curves with the publication's over them, dashed. */

import {
  type PublishedCurve,
  publishedCurves,
  publishedExperiment,
  spreadOf,
} from "../../analysis/index.ts";
import type { ExperimentRecord, PublishedComparison } from "../../record/index.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { percent } from "../format.ts";
import { epochAxis, percentAxis } from "../plot/axes.ts";
import type { Line } from "../plot/line-plot.ts";
import { fitted } from "../text-width.ts";
import { fractionDomain } from "../ticks.ts";
import { curveOf, type ReportArm } from "./arms.ts";
import { framesFor, short } from "./curves.ts";

/** Of the arms that the publication has too; null where there is none. */
export function publishedFigure(
  experiment: ExperimentRecord,
  published: PublishedComparison,
  arms: readonly ReportArm[],
): Figure | null {
  const kind = publishedExperiment(experiment);
  if (!kind) return null;
  const curves = publishedCurves(kind);
  const pairs = published.rows.flatMap((row) => {
    const arm = arms.find(({ name }) => name === row.arm);
    const theirs = curves.find(({ optimizer }) => optimizer === row.optimizer);
    return arm && theirs ? [{ arm, theirs }] : [];
  });
  const lines = pairs.flatMap(({ arm, theirs }) => linesOf(arm, theirs));
  if (lines.length === 0) return null;
  const values = lines.flatMap(({ y, bands }) => [
    ...y,
    ...Object.values(bands ?? {}).flatMap(({ low, high }) => [...low, ...high]),
  ]);
  const epochs = Math.max(...lines.flatMap(({ x }) => x[0]!));
  return lineFigure(
    {
      name: "publication",
      x: [epochAxis(epochs)],
      y: [
        percentAxis(
          "validation accuracy",
          fractionDomain(values.filter((value) => value !== null)),
        ),
      ],
      frames: framesFor(lines),
      lines,
      bands: [
        { name: "", choice: "no band" },
        { name: "range", choice: "least to greatest" },
      ],
    },
    {
      label: `Validation accuracy of ours (solid) and of the publication (dashed) against epoch. ${pairs
        .map(
          ({ arm, theirs }) =>
            `${arm.name}: the publication's ends at ${percent(theirs.validationAccuracy.mean.at(-1)!)}`,
        )
        .join("; ")}`,
    },
  );
}

/** One key for both, so that they are hidden together. */
function linesOf(arm: ReportArm, theirs: PublishedCurve): Line[] {
  const { mean, min, max } = theirs.validationAccuracy;
  const runs = arm.trials.map(({ metrics }) => curveOf(metrics, "validationAccuracy"));
  const length = Math.max(0, ...runs.map((curve) => curve.length));
  const spreads = Array.from({ length }, (_, i) => spreadOf(runs.map((curve) => curve[i] ?? null)));
  const own = spreads.map(({ values }) => values.filter((value) => value !== null));
  const last = spreads.findLast((spread) => spread.mean !== null)?.mean;
  const epochsOf = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  const { colour } = arm.look;
  return [
    ...(last === undefined || last === null
      ? []
      : [
          {
            key: arm.name,
            name: arm.name,
            colour,
            dash: [1, 0],
            width: 2.5,
            x: [epochsOf(length)],
            y: spreads.map((spread) => short(spread.mean)),
            n: own.map((values) => values.length),
            bands: {
              range: {
                low: own.map((values) => (values.length > 0 ? short(Math.min(...values)) : null)),
                high: own.map((values) => (values.length > 0 ? short(Math.max(...values)) : null)),
              },
            },
            labels: [`${fitted(arm.name, 200)} ${percent(last)}`, fitted(arm.name, 112)] as const,
          },
        ]),
    {
      key: arm.name,
      name: `${arm.name}, published`,
      colour,
      dash: [6, 3],
      width: 1.25,
      x: [epochsOf(mean.length)],
      y: mean.map(short),
      n: mean.map(() => theirs.runs.length),
      bands: { range: { low: min.map(short), high: max.map(short) } },
    },
  ];
}
