/** @file The same learning rate throughout. */

import { checkPositive } from "../../core/checks.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { turnsAt } from "../turns.ts";

/**
 * `rate` at every update.
 * @throws ArgumentError unless rate is finite and above 0.
 */
export function constant(rate: number): Schedule {
  checkPositive("constant", "rate", rate);
  return defineSchedule(() => rate, { type: "constant", rate }, { nextTurn: turnsAt([]) });
}
