/** @file The performance profile, and how much each arm minds its learning rate. */

import { at } from "../../core/at.ts";
import type { PerformanceProfile, Sensitivity } from "../../record/index.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { percent, short } from "../format.ts";
import { logNumberAxis, logRateAxis, percentAxis } from "../plot/axes.ts";
import type { Line } from "../plot/line-plot.ts";
import { fractionDomain } from "../ticks.ts";
import { labelOf, type ReportArm } from "./arms.ts";
import { framesFor } from "./curves.ts";
import { endLabels } from "./end-labels.ts";

/** Of the sensitivity's axis, on either side. */
const MARGIN = 1.08;

/**
 * Part of the targets, over seeds, that each arm reaches within a factor of the fastest.
 * @see Dolan and Moré, Mathematical Programming 91, 2002
 */
export function profileFigure(
  profile: PerformanceProfile,
  arms: readonly ReportArm[],
): Figure | null {
  const { taus, curves, unit } = profile;
  if (taus.length < 2 || curves.length === 0) return null;
  const ends = endLabels(curves.map(({ arm }) => arm));
  const lines = curves.map(({ arm, values }): Line => {
    const [wide, narrow] = ends(arm);
    const look = arms.find(({ name }) => name === arm)?.look;
    // A step function: it keeps its height until the next ratio.
    const x = taus.flatMap((tau, i) => (i === 0 ? [tau] : [tau, tau]));
    const y = taus.flatMap((_, i) =>
      i === 0 ? [at(values, 0, "values")] : [at(values, i - 1, "values"), at(values, i, "values")],
    );
    return {
      key: arm,
      name: labelOf(arm, arms),
      ...(labelOf(arm, arms) === arm ? {} : { legend: labelOf(arm, arms) }),
      colour: look?.colour ?? "var(--lr-ink)",
      dash: look?.dash ?? [1, 0],
      x: [x],
      y: y.map(short),
      labels: [`${wide} ${percent(at(values, -1, "values")).replace(".0%", "%")}`, narrow],
    };
  });
  return lineFigure(
    {
      name: "performance-profile",
      x: [
        {
          ...logNumberAxis(`multiple of the fastest arm’s ${unit}, to the same target`, [
            1,
            at(taus, -1, "taus"),
          ]),
          choice: "",
        },
      ],
      y: [percentAxis("targets reached, of all targets and seeds", [0, 1])],
      frames: framesFor(lines, { wide: 320, narrow: 260 }),
      lines,
      bands: [],
    },
    {
      label: `Performance profile. ${curves.map(({ arm, score }) => `${arm}: mean height ${score.toFixed(2)}`).join("; ")}`,
    },
  );
}

/** Final accuracy of each arm at multiples of its rate. */
export function sensitivityFigure(
  sensitivities: readonly Sensitivity[],
  arms: readonly ReportArm[],
): Figure | null {
  const measured = sensitivities.filter(({ points }) =>
    points.some((point) => point.finalValidationAccuracy.mean !== null),
  );
  if (measured.length === 0) return null;
  const factors = measured.flatMap(({ points }) => points.map(({ factor }) => factor));
  const values = measured.flatMap(({ points }) =>
    points.flatMap(({ finalValidationAccuracy: { values: own } }) => own.filter((v) => v !== null)),
  );
  const ends = endLabels(measured.map(({ arm }) => arm));
  const lines = measured.map(({ arm, points }): Line => {
    const look = arms.find(({ name }) => name === arm)?.look;
    const spreads = points.map((point) => point.finalValidationAccuracy);
    const own = spreads.map((spread) => spread.values.filter((value) => value !== null));
    return {
      key: arm,
      name: labelOf(arm, arms),
      ...(labelOf(arm, arms) === arm ? {} : { legend: labelOf(arm, arms) }),
      colour: look?.colour ?? "var(--lr-ink)",
      dash: look?.dash ?? [1, 0],
      dots: true,
      x: [points.map(({ factor }) => factor)],
      y: spreads.map(({ mean }) => short(mean)),
      n: own.map((seeds) => seeds.length),
      bands: {
        range: {
          low: own.map((seeds) => (seeds.length > 0 ? short(Math.min(...seeds)) : null)),
          high: own.map((seeds) => (seeds.length > 0 ? short(Math.max(...seeds)) : null)),
        },
        interval: {
          low: spreads.map(({ interval }) => short(interval?.low ?? null)),
          high: spreads.map(({ interval }) => short(interval?.high ?? null)),
        },
      },
      labels: ends(arm),
    };
  });
  const [low, high] = [Math.min(...factors), Math.max(...factors)];
  const ticks = [...new Set(factors)]
    .sort((a, b) => a - b)
    .map((at) => ({ at, text: `× ${Number(at.toPrecision(2))}` }));
  return lineFigure(
    {
      name: "sensitivity",
      x: [
        {
          // A little more than the factors, so that no dot is cut in half.
          ...logRateAxis("learning rate as a multiple of the arm’s own", [
            low / MARGIN,
            (high > low ? high : low * 10) * MARGIN,
          ]),
          ticks,
          // The ends and the middle.
          fewTicks: ticks.filter((_, i) => i % Math.max(1, (ticks.length - 1) / 2) === 0),
          choice: "",
        },
      ],
      y: [percentAxis("final validation accuracy", fractionDomain(values))],
      frames: framesFor(lines, { wide: 320, narrow: 260 }),
      lines,
      bands: [
        { name: "range", choice: "least to greatest" },
        { name: "interval", choice: "95% interval" },
      ],
      clip: true,
    },
    {
      label: `Final validation accuracy at multiples of each arm’s learning rate. ${measured
        .map(
          ({ arm, bestFactor, widthDecades }) =>
            `${arm}: best at ${bestFactor ?? "no"} times${widthDecades === null ? "" : `, within 2 points over ${widthDecades.toFixed(1)} decades`}`,
        )
        .join("; ")}`,
    },
  );
}
