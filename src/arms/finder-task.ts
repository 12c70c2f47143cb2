/** @file The range test that `find` makes, as tasks of one seed each, which run and resume one by one. */

import { at } from "../core/at.ts";
import type { StudySpec, Task } from "../record/index.ts";
import { armsOf, optimizerOf, specOf } from "./trials.ts";

/** The whole range test of a study of kind "find". */
export function finderTask(study: StudySpec): Task<"range-test"> {
  const arm = at(armsOf(study), 0, "arms");
  const { seeds, epochs, from, to, ramp, rule, stopFactor, smoothing, loss } = study;
  const { validationEvery } = study;
  const given = { from, to, stopFactor, smoothing, loss, validationEvery };
  return {
    kind: "range-test",
    arm: arm.name,
    slug: arm.slug,
    optimizer: specOf(optimizerOf(arm, study)),
    seeds: [...seeds],
    epochs,
    ramp,
    rule,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** One task a seed, of which each measures a curve and none reads it. */
export const seedTasks = (whole: Task<"range-test">): Task<"range-test">[] =>
  whole.seeds.map((seed) => ({
    ...whole,
    seeds: [seed],
    slug: `${whole.slug}-${seed}`,
    measureOnly: true,
  }));
