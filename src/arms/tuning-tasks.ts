/** @file The runs that tune the rate of a range test, as tasks. */

import { present } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import type { StudySpec, Task } from "../record/index.ts";
import { isCyclical } from "./arm-schedules.ts";
import { parseArm } from "./arms.ts";
import { numberWord } from "./flag-words.ts";
import { trialsOf } from "./trials.ts";

/** Below three seeds, no difference can be told from chance. */
const FEWEST_SEEDS = 3;

/** The test's own, or its first and those that follow: three at least. */
export function tuningSeeds({ seeds }: Pick<StudySpec, "seeds">): number[] {
  const [first = 0] = seeds;
  if (seeds.length >= FEWEST_SEEDS) return [...seeds];
  return Array.from({ length: FEWEST_SEEDS }, (_, index) => first + index);
}

/**
 * A run at each rate with each seed, all seeds of a rate after each other's first. A cyclical schedule makes
 * one cycle of the run; others are as long as the run anyway.
 */
export function tuningTasks(
  study: StudySpec,
  rates: readonly number[],
  updatesPerEpoch: number,
): Task<"trial">[] {
  const { optimizers, tuneEpochs: epochs = 1, momentum, weightDecay } = study;
  const [arm] = optimizers;
  const { schedule } = parseArm(present(arm, "arm"));
  const given = { momentum, weightDecay };
  return trialsOf(
    {
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      optimizers: rates.map((rate) => `${arm}@${numberWord(rate)}`),
      seeds: tuningSeeds(study),
      epochs,
      ...(isCyclical(schedule) ? { stepSize: { count: epochs / 2, unit: "epochs" } } : {}),
    },
    [],
    updatesPerEpoch,
  ).map((task) => ({ ...task, keepWeights: false }));
}

/** @throws ArgumentError for a schedule whose greatest rate is not the arm's */
export function checkTunable(schedule: string | null): void {
  if (schedule?.startsWith("("))
    throw new ArgumentError(
      `find: --schedule ${schedule.slice(1, -1)} says its rates itself, so that none can be tuned; name one that goes by a rate, such as clr or cosine`,
    );
}
