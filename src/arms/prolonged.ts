/** @file The schedule of an arm in a study that was made longer after it had begun. */

import { at } from "../core/at.ts";
import type { ArmRecord, Planned, Prolongation } from "../record/index.ts";
import {
  momentumBeside,
  type ReduceOnPlateau,
  type Schedule,
  sequence,
  stretch,
} from "../schedules/index.ts";
import { isCyclical, isFitted } from "./arm-schedules.ts";

/** Whether the arm's rates would be others in a run of another length. */
export const dependsOnLength = (
  { schedule }: Pick<ArmRecord, "schedule">,
  { snapCycles = false }: Pick<Planned, "snapCycles">,
): boolean => isFitted(schedule) || (snapCycles && isCyclical(schedule));

/** Epochs that the schedules of a study were made for as it began. */
export const firstLength = ({ epochs, prolonged = [] }: Pick<Planned, "epochs" | "prolonged">) =>
  prolonged[0]?.epochs ?? epochs;

interface Lengths extends Pick<Planned, "epochs" | "prolonged"> {
  readonly updatesPerEpoch: number;
}

/**
 * The schedule of a run of `firstLength` epochs as it goes on in the longer one, and what momentum follows
 * beside it where that has to be said: absent, it is what belongs beside the schedule anyway.
 *
 * "continue" leaves a schedule as it is past its end. "stretch" goes on, from the epoch at which the run was
 * made longer, at the rates of the same schedule stretched to the new length: what was trained keeps the rates
 * that it had.
 */
export function prolongedSchedule(
  schedule: Schedule | ReduceOnPlateau,
  lengths: Lengths,
): { schedule: Schedule | ReduceOnPlateau; beside?: Schedule | null } {
  if ("initial" in schedule || !stretches(lengths)) return { schedule };
  const beside = momentumBeside(schedule);
  return { schedule: joined(schedule, lengths), beside: beside && joined(beside, lengths) };
}

const stretches = ({ prolonged = [] }: Lengths) => prolonged.some(isStretch);
const isStretch = ({ schedule }: Prolongation) => schedule === "stretch";

/** Each stretch in turn, from the update on at which it was asked for. */
function joined(first: Schedule, { epochs, prolonged = [], updatesPerEpoch }: Lengths): Schedule {
  const updates = (count: number) => count * updatesPerEpoch;
  const lengths = [...prolonged.map((each) => each.epochs), epochs];
  const steps = updates(at(lengths, 0, "lengths"));
  let schedule = first;
  for (const [i, each] of prolonged.entries()) {
    if (!isStretch(each)) continue;
    const to = updates(at(lengths, i + 1, "lengths"));
    const [before, left] = [updates(each.after), to - updates(each.after)];
    schedule = sequence([before, schedule], [left, stretch(first, { steps, to }), before]);
  }
  return schedule;
}
