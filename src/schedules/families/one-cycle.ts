/** @file The one-cycle policy: up to a large rate, then down far below where it began. */

import { checkNonNegative, checkPositive, checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { checkChoice, halfCosine, line } from "../combine/shape.ts";
import { defineSchedule, type Schedule, type ScheduleSpec } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

/**
 * What libraries disagree on: defaults, what endDivisor divides, and at which updates phases end,
 * for r = riseFraction, f = fallFraction and N = steps. The end of all is the first moment of the
 * last rate, which an update has only where it is before N.
 */
const DIALECTS = {
  /** end = max / startDivisor / endDivisor; phases end at r N - 1, [f N - 2], N - 1. */
  torch: {
    riseFraction: 0.3,
    endDivisor: 1e4,
    endOf: "start",
    at: (r: number, f: number, n: number) => [r * n - 1, f * n - 2, n - 1] as const,
    fallFraction: (r: number) => 2 * r,
  },
  /** end = max / endDivisor; phases end at r N, N. */
  fastai: {
    riseFraction: 0.25,
    endDivisor: 1e5,
    endOf: "max",
    at: (r: number, f: number, n: number) => [r * n, f * n, n] as const,
    fallFraction: (r: number) => 2 * r,
  },
  /** end = max / startDivisor / endDivisor; phases end at floor(r N), [floor(f N)], N. */
  optax: {
    riseFraction: 0.3,
    endDivisor: 1e4,
    endOf: "start",
    at: (r: number, f: number, n: number) => [Math.floor(r * n), Math.floor(f * n), n] as const,
    fallFraction: () => 0.85,
  },
} as const;

export interface OneCycleOptions {
  /** The greatest rate. */
  readonly max: number;
  /** Length of the whole run, in updates. */
  readonly steps: number;
  /** Whose defaults, end value and phase ends to follow; default "torch". */
  readonly dialect?: keyof typeof DIALECTS;
  /** Part of the run that the rise takes, in (0, 1); default 0.3 (fastai: 0.25). */
  readonly riseFraction?: number;
  /** The first update's rate is max / startDivisor; default 25. */
  readonly startDivisor?: number;
  /**
   * The last rate is the first / endDivisor, default 1e4; fastai: max / endDivisor, default 1e5.
   */
  readonly endDivisor?: number;
  /** The last rate itself, 0 or more, in place of endDivisor. */
  readonly end?: number;
  /** 2 (the default): up, and down to the end. 3: up, down to where it began, then to the end. */
  readonly phases?: 2 | 3;
  /** Three phases: part of the run after which the second ends; default 2 riseFraction (optax: 0.85). */
  readonly fallFraction?: number;
  /** Form of each phase; default "cosine". */
  readonly anneal?: "cosine" | "linear";
}

/**
 * Up to `max` from max / startDivisor, then down to the end, each phase half a cosine or a straight
 * line, then flat.
 *
 * Defaults and phase ends are by default those of torch.optim.lr_scheduler.OneCycleLR (PyTorch 1.13
 * and 2.x, two phases, anneal_strategy "cos"): the peak at update riseFraction * steps - 1, the end at the last
 * update, steps - 1; torch refuses to go on past it where this stays flat. `dialect: "fastai"`
 * follows fit_one_cycle (2.x), `dialect: "optax"` cosine_onecycle_schedule and, with three linear
 * phases, linear_onecycle_schedule. Idea: Smith and Topin, "Super-Convergence";
 * arxiv.org/abs/1708.07120.
 * @throws ArgumentError if a number is outside its domain, if both end and endDivisor are given, or
 * if a phase is too short.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { knots, start, form, fields } = oneCyclePhases(options);
  return defineSchedule(through(start, knots, form), fields, {
    steps: options.steps,
    nextTurn: turnsAt(knots.map(([at]) => at)),
  });
}

/** [update, value] at which a phase ends. */
export type Knot = readonly [at: number, value: number];
type Form = (from: number, to: number, done: number) => number;

/** From `start` through each knot in turn, then flat. */
export function through(start: number, knots: readonly Knot[], form: Form): (t: number) => number {
  return (t) => {
    let [from, before] = [0, start];
    for (const [at, value] of knots) {
      if (t <= at) return form(before, value, (t - from) / (at - from));
      [from, before] = [at, value];
    }
    return before;
  };
}

/** The phases of a one-cycle policy: its first rate, then where each ends, and how it gets there. */
export function oneCyclePhases(options: OneCycleOptions): {
  readonly start: number;
  readonly knots: readonly Knot[];
  readonly form: Form;
  readonly fields: ScheduleSpec;
} {
  const { max, steps, dialect = "torch", startDivisor = 25, phases = 2 } = options;
  const { anneal = "cosine" } = options;
  checkChoice("oneCycle", "dialect", dialect, Object.keys(DIALECTS) as (keyof typeof DIALECTS)[]);
  checkChoice("oneCycle", "phases", phases, [2, 3]);
  checkChoice("oneCycle", "anneal", anneal, ["cosine", "linear"]);
  const rules = DIALECTS[dialect];
  const { riseFraction = rules.riseFraction, endDivisor = rules.endDivisor } = options;
  checkPositive("oneCycle", "max", max);
  checkPositiveInteger("oneCycle", "steps", steps);
  checkPositive("oneCycle", "startDivisor", startDivisor);
  checkPositive("oneCycle", "endDivisor", endDivisor);
  if (options.end !== undefined) checkNonNegative("oneCycle", "end", options.end);
  if (options.end !== undefined && options.endDivisor !== undefined)
    throw new ArgumentError("oneCycle: end and endDivisor exclude each other; give one of them");
  if (!(riseFraction > 0 && riseFraction < 1))
    throw new ArgumentError(`oneCycle: riseFraction must be between 0 and 1; got ${riseFraction}`);
  const fallFraction = fallFractionOf(options, rules.fallFraction(riseFraction), riseFraction);
  const [peak, middle, last] = rules.at(riseFraction, fallFraction, steps);
  if (peak <= 0)
    throw new ArgumentError(
      `oneCycle: the rise must take more than one update; got ${riseFraction} of ${steps}. ` +
        "Raise steps or riseFraction",
    );
  if (phases === 3 && !(middle > peak && middle < last))
    throw new ArgumentError(
      `oneCycle: three phases do not fit; with riseFraction ${riseFraction} and fallFraction ${fallFraction} of ${steps} ` +
        `they end at updates ${peak}, ${middle} and ${last}. Raise steps, or change the fractions`,
    );
  const start = max / startDivisor;
  const end = options.end ?? (rules.endOf === "start" ? start : max) / endDivisor;
  checkNonNegative("oneCycle", "the first rate, max / startDivisor,", start);
  checkNonNegative("oneCycle", "the last rate, by endDivisor,", end);
  return {
    start,
    form: anneal === "cosine" ? halfCosine : line,
    knots: [[peak, max], ...(phases === 3 ? [[middle, start] as const] : []), [last, end]],
    fields: {
      type: "oneCycle",
      max,
      steps,
      ...(dialect === "torch" ? {} : { dialect }),
      riseFraction,
      startDivisor,
      ...(options.end === undefined ? { endDivisor } : { end }),
      ...(phases === 2 ? {} : { phases, fallFraction }),
      ...(anneal === "cosine" ? {} : { anneal }),
    },
  };
}

function fallFractionOf(
  { phases = 2, fallFraction }: OneCycleOptions,
  byDialect: number,
  riseFraction: number,
): number {
  if (fallFraction === undefined) return byDialect;
  if (phases === 2)
    throw new ArgumentError("oneCycle: fallFraction has no effect with two phases; add phases: 3");
  if (!(fallFraction > riseFraction && fallFraction < 1))
    throw new ArgumentError(
      `oneCycle: fallFraction must be between riseFraction and 1; got ${fallFraction}, riseFraction ${riseFraction}`,
    );
  return fallFraction;
}
