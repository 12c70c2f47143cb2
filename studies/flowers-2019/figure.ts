/** @file Our curves with the article's over them, dashed. */

import {
  type AccuracyCurves,
  accuracyFigure,
  curvesOfArm,
  type Figure,
  percent,
  type ReportArm,
} from "lrscope/report";
import { type PublishedCurve, type PublishedExperiment, publishedCurves } from "./curves.ts";
import type { PublishedComparison } from "./record.ts";

/** Of the arms that the article has too; null where there is none. */
export function publishedFigure(
  kind: PublishedExperiment,
  { rows }: PublishedComparison,
  arms: readonly ReportArm[],
): Figure | null {
  const curves = publishedCurves(kind);
  const pairs = rows.flatMap((row) => {
    const arm = arms.find(({ name }) => name === row.arm);
    const theirs = curves.find(({ optimizer }) => optimizer === row.optimizer);
    return arm && theirs ? [{ arm, theirs }] : [];
  });
  const ends = pairs.map(
    ({ arm, theirs }) =>
      `${arm.name}: the publication's ends at ${percent(theirs.validationAccuracy.mean.at(-1) ?? 0)}`,
  );
  return accuracyFigure(
    pairs.flatMap(({ arm, theirs }) => {
      const ours = curvesOfArm(arm);
      return [...(ours ? [ours] : []), curvesOfTheirs(arm, theirs)];
    }),
    {
      name: "publication",
      title: "validation accuracy",
      label: `Validation accuracy of ours (solid) and of the publication (dashed) against epoch. ${ends.join("; ")}`,
    },
  );
}

/** Hidden together with the arm of ours, whose colour they have. */
function curvesOfTheirs(
  arm: ReportArm,
  { validationAccuracy, runs }: PublishedCurve,
): AccuracyCurves {
  const { mean, min, max } = validationAccuracy;
  return {
    key: arm.name,
    name: `${arm.name}, published`,
    colour: arm.look.colour,
    dash: [6, 3],
    width: 1.25,
    mean,
    least: min,
    greatest: max,
    count: mean.map(() => runs.length),
  };
}
