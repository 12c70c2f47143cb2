/** @file A schedule, or a reduction on plateaus, as a record describes it. */

import {
  type ReduceOnPlateau,
  type ReduceOnPlateauOptions,
  reduceOnPlateau,
} from "../families/reduce-on-plateau.ts";
import type { Schedule, ScheduleSpec } from "../schedule.ts";
import { scheduleFromJSON } from "./from-json.ts";

/** The schedule, or reduction on plateaus, that a record describes. */
export function scheduleOfSpec(spec: ScheduleSpec): Schedule | ReduceOnPlateau {
  return spec.type === "reduceOnPlateau"
    ? reduceOnPlateau(spec as unknown as ReduceOnPlateauOptions)
    : scheduleFromJSON(spec);
}
