/** @file How much of a schedule a chart shows, and its values column by column. */

import { at } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import { columnOf, type SampledRate } from "./sampled.ts";
import type { Schedule, ScheduleSpec } from "./schedule.ts";
import { turningUpdates } from "./turns.ts";

/** Curves of a chart, whose axis ends at the least and the greatest, which need not be on them. */
export interface Charted {
  /** One or more curves of as many columns, all finite. */
  readonly series: readonly (readonly number[])[];
  readonly least: number;
  readonly greatest: number;
}

/** How many updates show what a schedule is: its own length, three cycles, four drops. */
export function updatesToDraw(schedule: Schedule): number {
  const { steps, cycleEnd } = schedule;
  if (Number.isFinite(steps)) return countable(Math.max(2, Math.ceil(steps) + 1));
  if (!cycleEnd) return countable(endless(schedule.toJSON()));
  const end = countable(Math.ceil(cycleEnd(3)));
  // The update at which a cycle ends, unless the next one begins there with a jump.
  return schedule(end) > schedule(end - 1) ? end : countable(end + 1);
}

/** Beyond 2^53 - 1 an update more is no other number. */
const countable = (updates: number) => Math.min(updates, Number.MAX_SAFE_INTEGER);

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
      return Math.ceil(1.3 * at(spec.milestones as number[], -1, "milestones")) + 1;
    case "piecewise":
      return Math.ceil(1.3 * at(at(spec.points as number[][], -1, "points"), 0, "point")) + 2;
    case "inverseSqrt":
      return 10 * (spec.warmupSteps as number) + 1;
    case "warmup":
      return (spec.steps as number) + (inner ? endless(inner) : 0);
    default:
      return inner ? endless(inner) : 100;
  }
}

/**
 * Updates 0 .. updates - 1 in `width` columns: the rates of evenly spaced updates; where the schedule turns
 * more often than that shows, the least and the greatest rate of each column. `least` and `greatest` are
 * those of all `points`, and of all columns.
 */
export function chartedRates(
  schedule: Schedule,
  { updates, width, points }: { updates: number; width: number; points: readonly SampledRate[] },
): Charted {
  const updateOf = (column: number) => Math.round((column * (updates - 1)) / (width - 1));
  const columns = Array.from({ length: width }, (_, column) => column);
  const { whole } = turningUpdates(schedule, { from: 0, to: updates - 1, most: width });
  const series =
    whole || updates <= width
      ? [columns.map((column) => schedule(updateOf(column)))]
      : envelope(
          columns.map((column) =>
            columnOf(
              schedule,
              updateOf(column),
              Math.max(updateOf(column), updateOf(column + 1) - 1),
            ),
          ),
        );
  const all = [...points.map(({ lr }) => lr), ...series.flat()];
  return {
    series,
    least: all.reduce((a, b) => Math.min(a, b)),
    greatest: all.reduce((a, b) => Math.max(a, b)),
  };
}

const envelope = (columns: readonly SampledRate[][]) => [
  columns.map((points) => Math.max(...points.map(({ lr }) => lr))),
  columns.map((points) => Math.min(...points.map(({ lr }) => lr))),
];

/** @throws ArgumentError where a rate is not finite, as of an exponential that rises for long */
export function checkFinite(schedule: Schedule, points: readonly SampledRate[]): void {
  const found = points.findIndex(({ lr }) => !Number.isFinite(lr));
  if (found < 0) return;
  let [finite, beyond] = [points[found - 1]?.update ?? -1, at(points, found, "points").update];
  while (beyond - finite > 1) {
    const middle = finite + Math.floor((beyond - finite) / 2);
    if (Number.isFinite(schedule(middle))) finite = middle;
    else beyond = middle;
  }
  throw new ArgumentError(
    `schedule: rates must be finite; that of update ${beyond} is ${schedule(beyond)}. Draw fewer updates, as with --steps ${Math.max(1, beyond)}, or put a lid on it: clip:max=1,schedule=(...)`,
  );
}
