/** @file A drop by the same factor at each of a list of updates. */

import { checkPositive } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { shown } from "../../core/shown.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { countUpTo, turnsAt } from "../turns.ts";

export interface MultiStepOptions {
  /** Rate of the first update. */
  readonly rate: number;
  /** Updates from which on the next rate holds, ascending. */
  readonly milestones: readonly number[];
  /** What the rate is multiplied by at each milestone; default 0.1. */
  readonly factor?: number;
}

/**
 * `rate factor^n`, n the number of milestones at or before update `t`; flat after the last.
 *
 * torch's MultiStepLR (milestones there are counted in calls of step(), often epochs).
 * @throws ArgumentError if rate or factor is not above 0, or milestones are not ascending positive
 * integers, at least one.
 */
export function multiStep({ rate, milestones, factor = 0.1 }: MultiStepOptions): Schedule {
  checkPositive("multiStep", "rate", rate);
  checkPositive("multiStep", "factor", factor);
  const ascending = milestones.every(
    (at, i) => Number.isInteger(at) && at > (milestones[i - 1] ?? 0),
  );
  if (milestones.length === 0 || !ascending)
    throw new ArgumentError(
      `multiStep: milestones must be ascending positive integers, at least one; got ${shown(milestones)}`,
    );
  const own = [...milestones];
  return defineSchedule(
    (t) => rate * factor ** countUpTo(own, t),
    { type: "multiStep", rate, milestones: own, factor },
    { nextTurn: turnsAt(own) },
  );
}
