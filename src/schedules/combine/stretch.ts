/** @file A schedule made longer or shorter, from its start or in the middle of a run. */

import { checkNonNegativeInteger, checkPositive } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { updateAfter } from "../turns.ts";

export interface StretchOptions {
  /** So many updates of the schedule ... */
  readonly steps: number;
  /** ... take so many. */
  readonly to: number;
  /** From this update on; what was before stays as it was. Default 0. */
  readonly after?: number;
}

/**
 * What took `steps` updates takes `to`; for t past `after`:
 *
 *   lr(t) = schedule(after + (t - after) steps / to)
 *
 * A run of 900 updates that is to have 1,200 after all, noticed at update 300, goes on with
 * `stretch(schedule, { after: 300, steps: 600, to: 900 })`.
 *
 * Two lengths and not a factor, so that what falls on an update still does: t / (4 / 3) is not always
 * 3 t / 4.
 * @throws ArgumentError if steps or to is not above 0, or after is not an integer, 0 or more.
 */
export function stretch(schedule: Schedule, { steps, to, after = 0 }: StretchOptions): Schedule {
  checkPositive("stretch", "steps", steps);
  checkPositive("stretch", "to", to);
  checkNonNegativeInteger("stretch", "after", after);
  const { cycleEnd, nextTurn } = schedule;
  // Past 2^53 - 1 no update is after another: what would lie beyond is asked for there.
  const own = (t: number) =>
    t <= after ? t : Math.min(after + ((t - after) * steps) / to, Number.MAX_SAFE_INTEGER);
  const stretched = (t: number) => (t <= after ? t : after + ((t - after) * to) / steps);
  return defineSchedule(
    (t) => schedule(own(t)),
    () => ({ type: "stretch", steps, to, after, schedule: schedule.toJSON() }),
    {
      steps: stretched(schedule.steps),
      ...(cycleEnd ? { cycleEnd: (n: number) => stretched(cycleEnd(n)) } : {}),
      nextTurn:
        nextTurn &&
        ((t) => {
          let turn = nextTurn(own(t));
          // There and back, rounding may end where it began: then the turn is the one just met.
          for (let looks = 0; looks < 2 && stretched(turn) <= t; looks++) turn = nextTurn(turn);
          return stretched(turn) > t ? stretched(turn) : updateAfter(t);
        }),
      of: [schedule],
    },
  );
}
