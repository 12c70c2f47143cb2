/** @file Whether a study has stopped as its budget is spent, by its records alone. */

import type { Run } from "../store/index.ts";
import { isFinished } from "../train/trial-state.ts";
import { unfinished } from "./resuming/unfinished.ts";

export interface BudgetReached {
  readonly what: "trials" | "hours";
  readonly limit: number;
  /** Trials begun, or worker-hours recorded. */
  readonly used: number;
  /** Trials that are not at their end. */
  readonly left: number;
}

/** null where it has none, has not spent it, or has nothing left to do. */
export function budgetReached(path: string, run: Run): BudgetReached | null {
  const { experiment, trials } = run;
  const { maxTrials, maxHours } = experiment.specification ?? {};
  if (maxTrials === undefined && maxHours === undefined) return null;
  const left = unfinished(path, run);
  if (left === 0) return null;
  const used =
    trials.reduce(
      (sum, { metrics }) => metrics.reduce((all, { seconds }) => all + seconds, sum),
      0,
    ) / 3600;
  if (maxHours !== undefined && used >= maxHours)
    return { what: "hours", limit: maxHours, used, left };
  const planned = experiment.arms.length * experiment.protocol.seeds.length;
  const open = trials.some(({ trial }) => !isFinished(trial));
  if (maxTrials === undefined || maxTrials >= planned || open || trials.length === 0) return null;
  return { what: "trials", limit: maxTrials, used: trials.length, left };
}
