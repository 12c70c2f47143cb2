/** @file How much of a schedule a drawing shows. */

import type { Schedule, ScheduleSpec } from "../schedules/index.ts";

/** How many updates show what a schedule is: its own length, three cycles, four drops. */
export function updatesToDraw(schedule: Schedule): number {
  const { steps, cycleEnd } = schedule;
  if (Number.isFinite(steps)) return Math.max(2, Math.ceil(steps) + 1);
  if (!cycleEnd) return endless(schedule.toJSON());
  const end = Math.ceil(cycleEnd(3));
  // The update at which a cycle ends, unless the next one begins there with a jump.
  return schedule(end) > schedule(end - 1) ? end : end + 1;
}

function endless(spec: ScheduleSpec): number {
  const inner = spec.schedule as ScheduleSpec | undefined;
  switch (spec.type) {
    case "stepDecay":
      return Math.max(2, 4 * (spec.every as number));
    case "exponential": {
      const decades = Math.abs(Math.log10(spec.factor as number)) || 1;
      return Math.ceil((2 * (spec.every as number)) / decades) + 1;
    }
    case "multiStep":
      return Math.ceil(1.3 * (spec.milestones as number[]).at(-1)!) + 1;
    case "piecewise":
      return Math.ceil(1.3 * ((spec.points as number[][]).at(-1)![0] ?? 0)) + 2;
    case "inverseSqrt":
      return 10 * (spec.warmupSteps as number) + 1;
    case "warmup":
      return (spec.steps as number) + endless(inner!);
    default:
      return inner ? endless(inner) : 100;
  }
}
