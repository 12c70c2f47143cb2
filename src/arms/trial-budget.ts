/** @file Which trials of a study are within its budget of trials. */

import type { Planned } from "../record/index.ts";

/**
 * The trials that may begin. Seeds stay paired: whole seeds of all arms, or, where arms are pruned by all their seeds
 * together, whole arms; of less than one of those its first trials.
 * @param tasks all, seed by seed
 */
export function withinTrials<T extends { readonly arm: string; readonly seed: number }>(
  tasks: readonly T[],
  { maxTrials, pruning }: Pick<Planned, "maxTrials" | "pruning">,
): readonly T[] {
  if (maxTrials === undefined || tasks.length <= maxTrials) return tasks;
  const seeds = [...new Set(tasks.map(({ seed }) => seed))];
  const arms = [...new Set(tasks.map(({ arm }) => arm))];
  const whole = (all: number, each: number) => Math.min(all, Math.floor(maxTrials / each));
  if (pruning) {
    const some = new Set(arms.slice(0, whole(arms.length, seeds.length)));
    const kept = tasks.filter(({ arm }) => some.has(arm));
    return kept.length > 0 ? kept : tasks.filter(({ arm }) => arm === arms[0]).slice(0, maxTrials);
  }
  const count = whole(seeds.length, arms.length);
  return tasks.slice(0, count === 0 ? maxTrials : count * arms.length);
}
