/** @file Accuracy and loss against epoch or time: a line of means and bands for each arm. */

import { isMixed } from "../../analysis/index.ts";
import { at, present } from "../../core/at.ts";
import { greatestOf, leastOf } from "../../core/extremes.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { percent } from "../format.ts";
import { epochAxis, logNumberAxis, numberAxis, percentAxis, secondsAxis } from "../plot/axes.ts";
import type { Axis, Frame, Line, LinePlot } from "../plot/line-plot.ts";
import { widest } from "../text-width.ts";
import { fractionDomain, niceStep } from "../ticks.ts";
import { bandsOf, type MeasuredCurve, measuredCurve } from "./arm-curve.ts";
import type { Measure, ReportArm } from "./arms.ts";
import { type EndLabels, endLabels } from "./end-labels.ts";

const LABEL_GAP = 16;

/** With so few epochs each is marked by a dot. */
const FEW_EPOCHS = 15;

/** An arm's curve, and how it stands. */
interface ArmCurve extends MeasuredCurve {
  readonly arm: ReportArm;
  /** No seed is still under way, and at least one diverged. */
  readonly diverged: boolean;
}

export const MEASURES: readonly {
  readonly measure: Measure;
  readonly name: string;
  readonly title: string;
}[] = [
  { measure: "validationAccuracy", name: "accuracy-validation", title: "validation accuracy" },
  { measure: "trainAccuracy", name: "accuracy-training", title: "training accuracy" },
  { measure: "validationLoss", name: "loss-validation", title: "validation loss, nats" },
  { measure: "trainLoss", name: "loss-training", title: "training loss, nats" },
];

/**
 * The figure of one measure, or null where no trial has a value. Training and validation have the
 * same axes, so that they may be compared. The band that it begins with is `band`.
 */
export function curvesFigure(
  arms: readonly ReportArm[],
  measure: Measure,
  { epochs, band = "range" }: { readonly epochs: number; readonly band?: "range" | "interval" },
): Figure | null {
  const { name, title } = present(
    MEASURES.find((entry) => entry.measure === measure),
    measure,
  );
  const curves = armCurves(arms, measure);
  if (curves.length === 0) return null;
  const isAccuracy = measure.endsWith("Accuracy");
  const both = [
    ...armCurves(arms, isAccuracy ? "trainAccuracy" : "trainLoss"),
    ...armCurves(arms, isAccuracy ? "validationAccuracy" : "validationLoss"),
  ];
  const measured = Math.max(...curves.map(({ epochs: own }) => at(own, -1, "epochs")));
  const last = Math.max(epochs, measured);
  const seconds = Math.max(...both.map((curve) => at(curve.seconds, -1, "seconds")));
  const shown = (value: number) => (isAccuracy ? percent(value) : value.toFixed(2));
  const labels = endLabels(curves.map(({ arm }) => arm.name));
  const lines = curves.map((curve) => lineOf(curve, shown, { epochs: last, labels }));
  const bands = [
    { name: "range", choice: "least to greatest" },
    { name: "interval", choice: "95% interval" },
  ];
  const plot: LinePlot = {
    name: band === "range" ? name : `${name}-interval`,
    // Seconds of machines that differ do not compare.
    x: isMixed(arms.flatMap(({ trials }) => trials))
      ? [epochAxis(last)]
      : [epochAxis(last), secondsAxis(seconds)],
    y: isAccuracy ? [percentAxis(title, accuracyDomain(both))] : lossAxes(title, both),
    frames: framesFor(lines),
    lines,
    bands: !curves.some((curve) => curve.n.some((n) => n > 1))
      ? []
      : band === "range"
        ? bands
        : bands.toReversed(),
    clip: !isAccuracy || band === "interval",
  };
  return lineFigure(plot, {
    // Training stands beneath validation, half as wide.
    half: measure.startsWith("train"),
    label: `${title.charAt(0).toUpperCase()}${title.slice(1)} against epoch. ${curves
      .map(({ arm, last: end }) => `${arm.name} ends at ${shown(end)}`)
      .join("; ")}`,
  });
}

const armCurves = (arms: readonly ReportArm[], measure: Measure): ArmCurve[] =>
  arms.flatMap((arm) => {
    const curve = measuredCurve(arm.trials, measure);
    const diverged = arm.trials.every(({ trial }) => trial.status === "diverged");
    return curve ? [{ ...curve, arm, diverged }] : [];
  });

function lineOf(
  curve: ArmCurve,
  shown: (value: number) => string,
  { epochs, labels }: { readonly epochs: number; readonly labels: EndLabels },
): Line {
  const { arm, diverged } = curve;
  const [wide, narrow] = labels(arm.name);
  return {
    key: arm.name,
    name: arm.label,
    ...(arm.label === arm.name ? {} : { legend: arm.label }),
    colour: arm.look.colour,
    dash: arm.look.dash,
    x: [curve.epochs, curve.drawn.seconds],
    y: curve.drawn.mean,
    n: curve.n,
    ...(curve.n.some((n) => n > 1)
      ? {
          bands: bandsOf(curve, ["range", "interval"]),
        }
      : {}),
    labels: [`${wide}${diverged ? " ×" : ` ${shown(curve.last)}`}`, narrow],
    dots: epochs <= FEW_EPOCHS,
    stopped: diverged,
  };
}

/** As many labels as there are lines find room beside them. */
export function framesFor(
  lines: readonly Pick<Line, "labels">[],
  { wide = 380, narrow = 280, left = 44 } = {},
): [Frame, Frame] {
  const labels = lines.flatMap((line) => (line.labels ? [line.labels] : []));
  const frame = (height: number, side: 0 | 1): Frame => ({
    height: Math.max(height, labels.length * LABEL_GAP + 90),
    top: 30,
    right: labels.length === 0 ? 16 : 20 + widest(labels.map((pair) => pair[side])),
    bottom: 46,
    left,
  });
  return [frame(wide, 0), frame(narrow, 1)];
}

const accuracyDomain = (curves: readonly ArmCurve[]) =>
  fractionDomain(curves.flatMap(({ least, greatest }) => [least, greatest]));

/**
 * A diverging arm's losses may be thousands: the linear axis ends at a little above the losses with
 * which the arms began and ended, and the log axis shows the rest.
 */
function lossAxes(title: string, curves: readonly ArmCurve[]): Axis[] {
  const least = leastOf(curves.map((curve) => curve.least));
  const greatest = greatestOf(curves.map((curve) => curve.greatest));
  const means = Float64Array.from(curves.flatMap(({ mean }) => mean)).sort();
  const usual = at(means, Math.floor((means.length - 1) * 0.98), "means");
  const top = Math.min(greatest, least + (usual - least) * 1.25);
  const step = niceStep(Math.max(top - least, 0.1 * Math.abs(top), 1e-6), 6);
  const low = Math.floor(least / step) * step;
  const high = Math.max(low + step, Math.ceil(top / step) * step);
  const linear = numberAxis(title, [Number(low.toPrecision(6)), Number(high.toPrecision(6))]);
  if (!(least > 0) || greatest / least < 1.2) return [linear];
  return [linear, logNumberAxis(title, [least * 0.95, greatest * 1.05])];
}
