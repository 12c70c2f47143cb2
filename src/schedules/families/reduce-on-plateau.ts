/** @file Reducing the rate when a metric no longer improves: the one rule with a state. */

import { checkNonNegative, checkNonNegativeInteger, checkPositive } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { checkChoice } from "../combine/shape.ts";

export interface ReduceOnPlateauOptions {
  /** Rate until the first reduction. */
  readonly rate: number;
  /** What the rate is multiplied by, in (0, 1); default 0.1. */
  readonly factor?: number;
  /** Metrics without improvement that are borne; the next one reduces. Default 10. */
  readonly patience?: number;
  /** Whether a smaller ("min", the default: a loss) or a greater metric is better ("max": accuracy). */
  readonly mode?: "min" | "max";
  /** How much better counts; default 1e-4. */
  readonly threshold?: number;
  /** Of the best metric's size ("relative", the default), or in the metric's own units. */
  readonly thresholdMode?: "relative" | "absolute";
  /** Metrics after a reduction that are not counted; default 0. */
  readonly cooldown?: number;
  /** The least rate; default 0. */
  readonly floor?: number;
  /** A reduction by no more than this is not made; default 1e-8. */
  readonly epsilon?: number;
}

/** All that is carried from one metric to the next: plain JSON. */
export interface PlateauState {
  readonly rate: number;
  /** Best metric so far; null before the first. */
  readonly best: number | null;
  /** Metrics since then without improvement. */
  readonly bad: number;
  /** Metrics that are still not counted. */
  readonly cooldown: number;
}

export interface ReduceOnPlateau {
  /** The state before the first metric. */
  readonly initial: PlateauState;
  /** The state after a metric, and the rate from there on. Pure. */
  step(state: PlateauState, metric: number): [state: PlateauState, learningRate: number];
  /** The options, each with its value; `reduceOnPlateau` takes them back. */
  toJSON(): Required<ReduceOnPlateauOptions> & { readonly type: "reduceOnPlateau" };
}

/**
 * Multiplies the rate by `factor` when `patience + 1` metrics in a row were no better than the best.
 * It follows a metric and not the update count, so it is no Schedule; its state is explicit:
 *
 *   const plateau = reduceOnPlateau({ rate: 0.1, patience: 5 });
 *   let state = plateau.initial;                    // JSON: keep it in a checkpoint, go on from it
 *   [state, learningRate] = plateau.step(state, validationLoss);
 *
 * A metric that is NaN, or infinitely bad, is no improvement. A relative threshold is of the best metric's size, so
 * that a metric below zero is treated as one above. Source: torch.optim.lr_scheduler.ReduceLROnPlateau
 * (PyTorch 1.13), the same numbers at every step, but for metrics below zero: there torch's bar lies on the wrong
 * side of the best, and a metric that gets worse passes for better. optax.contrib.reduce_on_plateau reduces one metric
 * sooner: its patience n is n - 1 here; it has no epsilon.
 * @throws ArgumentError if an option is outside its domain.
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions): ReduceOnPlateau {
  const {
    rate,
    factor = 0.1,
    patience = 10,
    mode = "min",
    threshold = 1e-4,
    thresholdMode = "relative",
    cooldown = 0,
    floor = 0,
    epsilon = 1e-8,
  } = options;
  const subject = "reduceOnPlateau";
  checkPositive(subject, "rate", rate);
  if (!(factor > 0 && factor < 1))
    throw new ArgumentError(`${subject}: factor must be between 0 and 1; got ${factor}`);
  checkNonNegativeInteger(subject, "patience", patience);
  checkChoice(subject, "mode", mode, ["min", "max"]);
  checkNonNegative(subject, "threshold", threshold);
  checkChoice(subject, "thresholdMode", thresholdMode, ["relative", "absolute"]);
  checkNonNegativeInteger(subject, "cooldown", cooldown);
  checkNonNegative(subject, "floor", floor);
  checkNonNegative(subject, "epsilon", epsilon);
  const sign = mode === "min" ? -1 : 1;

  function isBetter(metric: number, best: number | null): boolean {
    const from = best ?? -sign * Number.POSITIVE_INFINITY;
    const margin = thresholdMode === "relative" ? threshold * Math.abs(best ?? 0) : threshold;
    return sign * metric > sign * from + margin;
  }

  function step(state: PlateauState, metric: number): [PlateauState, number] {
    // JSON has no infinity, so that the best that there is counts as the greatest finite one.
    const value = sign * metric === Number.POSITIVE_INFINITY ? sign * Number.MAX_VALUE : metric;
    const better = isBetter(value, state.best);
    const best = better ? value : state.best;
    const resting = state.cooldown > 0;
    const bad = better || resting ? 0 : state.bad + 1;
    const left = resting ? state.cooldown - 1 : 0;
    if (bad <= patience) return [{ rate: state.rate, best, bad, cooldown: left }, state.rate];
    const reduced = Math.max(state.rate * factor, floor);
    const next = state.rate - reduced > epsilon ? reduced : state.rate;
    return [{ rate: next, best, bad: 0, cooldown }, next];
  }

  return {
    initial: { rate, best: null, bad: 0, cooldown: 0 },
    step,
    toJSON: () => ({
      type: subject,
      rate,
      factor,
      patience,
      mode,
      threshold,
      thresholdMode,
      cooldown,
      floor,
      epsilon,
    }),
  };
}
