/** @file Rates given at points, and what holds between them. */

import { at } from "../../core/at.ts";
import { checkNonNegative, checkNonNegativeInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { shown } from "../../core/shown.ts";
import { checkChoice, halfCosine, line } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { countUpTo, turnsAt } from "../turns.ts";

const BETWEEN = {
  hold: (from: number) => from,
  linear: line,
  cosine: halfCosine,
} as const;

export interface PiecewiseOptions {
  /** [update, rate] each, updates ascending, the first at 0. */
  readonly points: readonly (readonly [update: number, rate: number])[];
  /** Between two points: the first one's rate (the default), a straight line, or half a cosine. */
  readonly between?: keyof typeof BETWEEN;
}

/**
 * The rate of each point at its update; between two points as `between` says; after the last, flat.
 *
 * "hold" is optax's piecewise_constant_schedule (whose values are factors) and Keras's
 * PiecewiseConstantDecay, except that there a boundary still has the rate before it: Keras's boundary
 * b is a point at b + 1 here. "linear" and "cosine" are optax's piecewise_interpolate_schedule.
 * @throws ArgumentError if there is no point, the first is not at update 0, updates are not ascending
 * integers, or a rate is negative.
 */
export function piecewise({ points, between = "hold" }: PiecewiseOptions): Schedule {
  checkChoice("piecewise", "between", between, Object.keys(BETWEEN) as (keyof typeof BETWEEN)[]);
  for (const [update, rate] of points) {
    checkNonNegativeInteger("piecewise", "update of a point", update);
    checkNonNegative("piecewise", "rate of a point", rate);
  }
  const ascending = points.every(([at], i) => {
    const before = points[i - 1];
    return before ? at > before[0] : at === 0;
  });
  const end = points.at(-1);
  if (end === undefined || !ascending)
    throw new ArgumentError(
      `piecewise: points must begin at update 0 and ascend; got updates ${shown(points.map(([at]) => at))}`,
    );
  const own = points.map(([update, rate]) => [update, rate] as const);
  const updates = own.map(([update]) => update);
  const form = BETWEEN[between];
  const [lastAt, lastRate] = end;
  return defineSchedule(
    (t) => {
      if (t >= lastAt) return lastRate;
      const next = countUpTo(updates, t);
      const [from, before] = at(own, next - 1, "points");
      const [to, after] = at(own, next, "points");
      return form(before, after, (t - from) / (to - from));
    },
    { type: "piecewise", points: own, between },
    { nextTurn: turnsAt(updates) },
  );
}
