/** @file The range test that `find` makes, as tasks of one seed each, which run and resume one by one. */

import { at } from "../core/at.ts";
import type { StudySpec, Task } from "../record/index.ts";
import { armsOf, optimizerOf, rampOf, specOf } from "./trials.ts";

/** The whole range test of a study of kind "find". */
export function finderTask(study: StudySpec): Task<"range-test"> {
  const arm = at(armsOf(study), 0, "arms");
  const { seeds, epochs, stopFactor, smoothing, loss, validationEvery } = study;
  const given = { stopFactor, smoothing, loss, validationEvery };
  return {
    kind: "range-test",
    arm: arm.name,
    slug: arm.slug,
    optimizer: specOf(optimizerOf(arm, study)),
    seeds: [...seeds],
    ...rampOf({ ...study, rangeTestEpochs: epochs }),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** The quick ramp that finds the ends of the seeds' ramps, where these are not given. */
export const searchTask = (whole: Task<"range-test">): Task<"range-test"> => ({
  ...whole,
  seeds: whole.seeds.slice(0, 1),
  slug: `${whole.slug}-search`,
  measureOnly: "search",
});

/**
 * One task a seed, of which each measures a curve and none reads it.
 * @param ramp the ends that were given or found, and how long each goes between them
 */
export const seedTasks = (
  { epochs, ...whole }: Task<"range-test">,
  ramp: Required<Pick<Task<"range-test">, "from" | "to" | "updates" | "untilDiverged">>,
): Task<"range-test">[] =>
  whole.seeds.map((seed) => ({
    ...whole,
    ...ramp,
    seeds: [seed],
    slug: `${whole.slug}-${seed}`,
    measureOnly: "curves",
  }));
