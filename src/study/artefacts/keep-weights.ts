/** @file Which weights of a study stay on the disk, once nothing needs the others any more. */

import { join } from "node:path";
import type { StudySpec } from "../../record/index.ts";
import { type RunDirectory, readTrials } from "../../store/index.ts";
import { isFinished } from "../../train/trial-state.ts";

/** Of a trial that has ended; the average is as good as last weights. */
const DROPPED: Readonly<Record<NonNullable<StudySpec["keep"]>, readonly string[]>> = {
  best: ["last", "averaged"],
  last: ["best"],
  none: ["best", "last", "averaged"],
};

/**
 * Takes away what is not to be kept. Called when confusions have been counted from the best weights; a trial
 * that is to go on keeps all that it has.
 */
export function keepWeights(directory: RunDirectory, keep: StudySpec["keep"]): void {
  if (keep === undefined) return;
  for (const { trial } of readTrials(directory.path))
    if (isFinished(trial))
      for (const name of DROPPED[keep])
        directory.remove(join("trials", `${trial.slug}-${trial.seed}`, `${name}.safetensors`));
}
