/** @file How deep a specification may be nested, and of how many parts it may be. */

import { MOST_LEVELS, MOST_PARTS, type ScheduleSpec, tooDeep, tooManyParts } from "./schedule.ts";

/**
 * Level by level, without recursion: what is read and described afterwards by recursion has an end.
 * @throws ArgumentError where schedules lie within schedules more than 64 levels deep, or are more than
 *   10,000 in all
 */
export function checkNesting(spec: ScheduleSpec): void {
  let level: unknown[] = [spec];
  let parts = 0;
  for (let levels = 1; level.length > 0; levels++) {
    if (levels > MOST_LEVELS) throw tooDeep();
    parts += level.length;
    if (parts > MOST_PARTS) throw tooManyParts();
    level = level.flatMap(within);
  }
}

/** The specifications that one holds. */
function within(spec: unknown): unknown[] {
  if (typeof spec !== "object" || spec === null) return [];
  const { schedule, parts } = spec as { schedule?: unknown; parts?: unknown };
  const listed = Array.isArray(parts) ? parts.map((part) => part?.schedule) : [];
  return [schedule, ...listed].filter((inner) => typeof inner === "object" && inner !== null);
}
