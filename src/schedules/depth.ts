/** @file How deep schedules may lie within schedules, so that no text or record exhausts the stack. */

import { ArgumentError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

/** @throws ArgumentError above 64 */
export function checkDepth(depth: number): void {
  if (depth > LIMITS.scheduleDepth)
    throw new ArgumentError(
      `schedule: schedules may lie within each other ${LIMITS.scheduleDepth} deep at most; this one goes deeper. Write it as one sequence, or as piecewise`,
    );
}
