/** @file Whether the cycles of a schedule fit the run: said before hours are spent on one that ends half way up. */

import { counted } from "../core/words.ts";
import { wholeCycles } from "./combine/snap-cycles.ts";
import type { Schedule } from "./schedule.ts";

/** Of a cycle's length: so near to its end counts as its end. */
const NEAR = 0.025;

/** Cyclical families whose half cycle is one length, which a flag gives. */
const OF_ONE_LENGTH = ["triangular", "triangular2", "expRange"];

export interface RunLength {
  /** Of the whole run. */
  readonly updates: number;
  readonly updatesPerEpoch: number;
}

/**
 * A sentence, with the remedy, where half a cycle is longer than the run, so that the greatest rate is never
 * reached, or where the run ends within a cycle, and not at its least rate; null where it ends with one,
 * give or take a fortieth of a cycle or an update a cycle, or where the schedule has no cycles.
 */
export function cycleWarning(
  schedule: Schedule,
  { updates, updatesPerEpoch }: RunLength,
): string | null {
  const whole = wholeCycles(schedule, updates);
  if (!whole) return null;
  const { count, length } = whole;
  if (Math.abs(length - updates) <= Math.max(count, (NEAR * length) / count)) return null;
  const epochs = (of: number) => `${Number((of / updatesPerEpoch).toPrecision(3))}`;
  const run = `the run has ${epochs(updates)}`;
  const turn = schedule.nextTurn?.(0) ?? Number.POSITIVE_INFINITY;
  const found =
    turn >= updates && schedule(updates) > schedule(0)
      ? `half a cycle takes ${epochs(turn)} epochs, and ${run}: the greatest rate is never reached`
      : `${counted(count, "cycle")} ${count === 1 ? "takes" : "take"} ${epochs(length)} epochs, and ${run}: it does not end with a cycle, at the least rate`;
  const { type, stepDown } = schedule.toJSON();
  const remedy = `--snap-cycles stretches ${count === 1 ? "the cycle" : "the cycles"} to fit`;
  if (!OF_ONE_LENGTH.includes(type) || stepDown !== undefined) return `${found}; ${remedy}`;
  return `${found}; --step-size ${halfCycle(updates / (2 * count), updatesPerEpoch)} makes ${counted(count, "cycle")} of it, and ${remedy}`;
}

/** As `--step-size` reads it: in epochs where those are a round number, else in updates. */
function halfCycle(updates: number, updatesPerEpoch: number): string {
  const epochs = updates / updatesPerEpoch;
  return Number.isInteger(4 * epochs) ? `${epochs}e` : String(Math.max(1, Math.round(updates)));
}
