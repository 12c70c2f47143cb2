/** @file How many runs of a study may go on at a time: by its jobs, and by how many there are. */

import type { StudySpec } from "../record/index.ts";
import { armsOf } from "./trials.ts";
import { tuningSeeds } from "./tuning-tasks.ts";

/** Rates that a tuning begins with, all at once. */
const FIRST_RATES = 3;

/** Its jobs, or fewer where it has fewer runs. */
export function tasksAtOnce(
  study: Pick<StudySpec, "optimizers" | "sensitivity" | "seeds" | "jobs"> &
    Partial<Pick<StudySpec, "tuneEpochs">>,
): number {
  const tests = armsOf(study).length * study.seeds.length;
  const tuning = study.tuneEpochs === undefined ? 0 : FIRST_RATES * tuningSeeds(study).length;
  return Math.min(study.jobs, Math.max(tests, tuning));
}
