/** @file Momentum, or beta1, that falls as the learning rate rises. */

import { checkHalfOpen, checkNonNegative, checkPositive } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { type Knot, type OneCycleOptions, oneCyclePhases, through } from "../families/one-cycle.ts";
import { defineSchedule, type Schedule, type ScheduleSpec } from "../schedule.ts";

export interface InverseMomentumOptions {
  /** The least momentum, where the rate is greatest; in [0, 1). Default 0.8; beside a one-cycle 0.85. */
  readonly low?: number;
  /** The greatest, where the rate is least; in [0, 1). Default 0.9; beside a one-cycle 0.95. */
  readonly high?: number;
  /** Rate at which the momentum is `high`; default the schedule's own `base`. */
  readonly base?: number;
  /** Rate at which it is `low`; default the schedule's own `max`. */
  readonly max?: number;
}

/**
 * A schedule of momentum that mirrors one of the learning rate, so that a step's reach stays alike:
 *
 *   momentum = high - (high - low) min(max((lr - base) / (max - base), 0), 1)
 *
 * Beside `triangular`, `triangular2` and `expRange` that is cycle_momentum of torch's CyclicLR
 * (base_momentum 0.8, max_momentum 0.9); a fading amplitude fades here too. Beside a `oneCycle`, whose
 * last rate lies below its first, each phase goes from one bound to the other in the form of its own,
 * as in torch's OneCycleLR and fastai's fit_one_cycle (0.85, 0.95); the third of three stays at
 * `high`. Stretched, clipped or held (`snapCycles`) they keep their bounds. Beside any other schedule
 * give `base` and `max`.
 *
 * Source: Smith, "A disciplined approach to neural network hyper-parameters: Part 1", section 4.3;
 * arxiv.org/abs/1803.09820.
 * @throws ArgumentError if a momentum is outside [0, 1), low is above high, base is not below max, or
 * base and max are not given and the schedule has none.
 */
export function inverseMomentum(
  schedule: Schedule,
  options: InverseMomentumOptions = {},
): Schedule {
  const cycle = options.base === undefined ? oneCycleOf(schedule) : null;
  const { low = cycle ? 0.85 : 0.8, high = cycle ? 0.95 : 0.9 } = options;
  checkHalfOpen("inverseMomentum", "low", low, 0, 1);
  checkHalfOpen("inverseMomentum", "high", high, 0, 1);
  if (low > high)
    throw new ArgumentError(
      `inverseMomentum: low must not be above high; got low ${low}, high ${high}`,
    );
  const given = options.base === undefined ? {} : { base: options.base, max: options.max };
  const toJSON = () => ({
    type: "inverseMomentum",
    low,
    high,
    ...given,
    schedule: schedule.toJSON(),
  });
  const { steps, cycleEnd, nextTurn } = schedule;
  const traits = { steps, nextTurn, of: [schedule], ...(cycleEnd ? { cycleEnd } : {}) };
  if (cycle) {
    const { knots, form } = cycle;
    const mirrored = knots.map(([at], i): Knot => [at, i === 0 ? low : high]);
    return defineSchedule(through(high, mirrored, form), toJSON, traits);
  }
  const { base, max } = boundsOf(schedule, options);
  return defineSchedule(
    (t) => high - (high - low) * Math.min(Math.max((schedule(t) - base) / (max - base), 0), 1),
    toJSON,
    traits,
  );
}

/** Families that torch cycles momentum beside, unless told not to. */
const MIRRORED = ["triangular", "triangular2", "expRange", "oneCycle"];

/**
 * The momentum that the sources cycle beside a schedule: `inverseMomentum(schedule)` beside the
 * cyclical ones and one-cycle, however stretched, clipped or held; null beside all others.
 */
export function momentumBeside(schedule: Schedule): Schedule | null {
  const spec = specOf(schedule);
  return spec && MIRRORED.includes(innermost(spec).type) ? inverseMomentum(schedule) : null;
}

function oneCycleOf(schedule: Schedule): ReturnType<typeof oneCyclePhases> | null {
  const spec = specOf(schedule);
  return spec?.type === "oneCycle" ? oneCyclePhases(spec as unknown as OneCycleOptions) : null;
}

/** null where it cannot be written down: a function of the caller's. */
function specOf(schedule: Schedule): ScheduleSpec | null {
  try {
    return schedule.toJSON();
  } catch {
    return null;
  }
}

const WRAPPERS = ["stretch", "clip", "holdAfter", "warmup", "repeat"];

const innermost = (spec: ScheduleSpec): ScheduleSpec =>
  WRAPPERS.includes(spec.type) ? innermost(spec.schedule as ScheduleSpec) : spec;

function boundsOf(
  schedule: Schedule,
  { base, max }: InverseMomentumOptions,
): { base: number; max: number } {
  const spec = specOf(schedule);
  const own = spec && innermost(spec);
  const bounds = {
    base: base ?? (own?.type === "oneCycle" ? firstRate(own) : own?.base),
    max: max ?? own?.max,
  };
  if (typeof bounds.base !== "number" || typeof bounds.max !== "number")
    throw new ArgumentError(
      `inverseMomentum: ${spec ? `"${spec.type}"` : "the schedule"} has no bounds of its own; give base and max, the rates of the greatest and the least momentum`,
    );
  checkNonNegative("inverseMomentum", "base", bounds.base);
  checkPositive("inverseMomentum", "max", bounds.max);
  if (bounds.base >= bounds.max)
    throw new ArgumentError(
      `inverseMomentum: base must be below max; got base ${bounds.base}, max ${bounds.max}`,
    );
  return bounds as { base: number; max: number };
}

const firstRate = (spec: ScheduleSpec) => oneCyclePhases(spec as unknown as OneCycleOptions).start;
