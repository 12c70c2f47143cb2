/** @file How many runs of a study may go on at a time: by its jobs, and by how many there are. */

import type { StudySpec } from "../record/index.ts";
import { armsOf } from "./trials.ts";

/** Its jobs, or fewer where it has fewer runs. */
export const tasksAtOnce = (
  study: Pick<StudySpec, "optimizers" | "sensitivity" | "seeds" | "jobs">,
): number => Math.min(study.jobs, armsOf(study).length * study.seeds.length);
