/**
 * @file Arms whose optimizer or schedule is an object of this process, under a name in the arm's text. Records hold
 * what came of them, rates and hyperparameters, and not the rule itself: other processes cannot go on from there.
 */

import { isOwnSchedule, isPartFile } from "../../arms/own-parts.ts";
import { ArgumentError, StoreError } from "../../core/errors.ts";
import { isOwnOptimizer } from "../../optimizers/index.ts";
import type { ArmRecord, StudySpec } from "../../record/index.ts";

const REMEDY =
  'write each into a file that exports it, and name the file in the arm, as in "./mine.ts+cosine"';

/** Whether a trial needs an optimizer that no other process has; of a schedule, tasks have the rates. */
export const needsThisProcess = (arms: readonly ArmRecord[]): boolean =>
  arms.some(({ optimizer }) => isOwnOptimizer(optimizer) && !isPartFile(optimizer));

/** @throws ArgumentError for trials side by side, which would be other processes */
export function checkJobs(arms: readonly ArmRecord[], jobs: number): void {
  const own = arms.find((arm) => needsThisProcess([arm]));
  if (own && jobs > 1)
    throw new ArgumentError(
      `arm "${own.name}": ${own.optimizer} is an object of this program, which trains with it in its own process, one trial at a time; jobs must be 1, got ${jobs}. To have more, ${REMEDY}`,
    );
}

/**
 * @param path the run directory, or what else the message is about
 * @throws StoreError, exit code 2, where this process does not have the objects that a recorded study is made of
 */
export function checkObjects({ objects = [] }: StudySpec, path: string): void {
  const unknown = objects.filter((name) => !isOwnOptimizer(name) && !isOwnSchedule(name));
  if (unknown.length > 0)
    throw new StoreError(
      `${path}: its arms are made of objects of the program that ran it (${unknown.join(", ")}), which no record holds, so that it cannot be resumed; to be able to, begin anew: ${REMEDY}`,
      { exitCode: 2 },
    );
}
