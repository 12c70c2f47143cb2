/** @file How much an arm minds its learning rate: the same arm at several multiples of it. */

import { at, get } from "../core/at.ts";
import type {
  ArmRecord,
  ExperimentRecord,
  OptimizerSummary,
  Sensitivity,
} from "../record/index.ts";

/** A mean accuracy within this of the best counts as just as good. */
const TOLERANCE = 0.02;
/** Means that differ by less are equal, but for the rounding of their sums. */
const LEVEL = 1e-9;

/**
 * Factors on a rate, evenly in its logarithm from 1/10 to 10: 5 give 0.1, 0.316, 1, 3.16, 10. An odd
 * count has 1 among them. count >= 2.
 */
export const sensitivityFactors = (count: number): number[] =>
  Array.from({ length: count }, (_, i) =>
    Number((10 ** (-1 + (2 * i) / (count - 1))).toPrecision(4)),
  );

/** One analysis for each arm of which the experiment ran points; in the experiment's order. */
export function sensitivities(
  { arms }: ExperimentRecord,
  optimizers: readonly OptimizerSummary[],
): Sensitivity[] {
  const names = [...new Set(arms.flatMap((arm) => arm.sensitivity?.of ?? []))];
  return names.map((name) => {
    const points = arms
      .filter((arm) => arm.sensitivity?.of === name)
      .flatMap((arm) => pointOf(arm, optimizers))
      .sort((a, b) => a.factor - b.factor);
    return { arm: name, points, ...readWidth(points) };
  });
}

function pointOf(arm: ArmRecord, optimizers: readonly OptimizerSummary[]): Sensitivity["points"] {
  const summary = optimizers.find(({ name }) => name === arm.name);
  if (!summary || !arm.sensitivity) return [];
  return [
    {
      arm: arm.name,
      factor: arm.sensitivity.factor,
      learningRate: summary.learningRates[0] ?? arm.learningRate,
      finalValidationAccuracy: summary.finalValidationAccuracy,
      diverged: summary.diverged,
    },
  ];
}

/** A point at which any seed diverged is not a rate to train with: it ends the width. */
function readWidth(
  points: Sensitivity["points"],
): Pick<Sensitivity, "bestFactor" | "widthDecades"> {
  const curve = points.map(({ factor, finalValidationAccuracy, diverged }) => ({
    x: Math.log10(factor),
    factor,
    y: diverged > 0 ? null : finalValidationAccuracy.mean,
  }));
  let best = -1;
  // Of equals the one nearest to the arm's own rate.
  for (const [i, { x, y }] of curve.entries()) {
    const top = curve[best];
    const ahead = y !== null && (!top || y - get(top, "y", "top") > LEVEL);
    const nearer =
      y !== null && top && y - get(top, "y", "top") > -LEVEL && Math.abs(x) < Math.abs(top.x);
    if (ahead || nearer) best = i;
  }
  if (best < 0) return { bestFactor: null, widthDecades: null };
  const floor = get(at(curve, best, "curve"), "y", "point") - TOLERANCE;
  const walk = (direction: 1 | -1): number => {
    let reached = at(curve, best, "curve").x;
    for (let i = best + direction; i >= 0 && i < curve.length; i += direction) {
      const [inner, outer] = [at(curve, i - direction, "curve"), at(curve, i, "curve")];
      if (outer.y === null) return reached;
      if (outer.y < floor)
        return (
          inner.x +
          ((get(inner, "y", "inner") - floor) / (get(inner, "y", "inner") - outer.y)) *
            (outer.x - inner.x)
        );
      reached = outer.x;
    }
    return reached;
  };
  return { bestFactor: at(curve, best, "curve").factor, widthDecades: walk(1) - walk(-1) };
}
