/** @file From the flags of a budget to what the lab is asked for. */

import { ArgumentError } from "../../core/errors.ts";
import type { ArmRecord } from "../../record/index.ts";
import type { BudgetOptions } from "../../train/budget.ts";

/** Epochs at most, where time or a target ends a run and nobody says how many. */
const MOST_EPOCHS = 1000;

/** `--epochs`; beside `--time` or `--target-accuracy` alone, as good as none. */
export const epochsOf = (
  { epochs, time, targetAccuracy }: { epochs: number } & Loose<BudgetOptions>,
  given: ReadonlySet<string>,
): number =>
  given.has("epochs") || (time === undefined && targetAccuracy === undefined)
    ? epochs
    : MOST_EPOCHS;

/** The options that are given. */
export function budgetOf(flags: Loose<BudgetOptions>): BudgetOptions {
  const { time, targetAccuracy, evalEvery, earlyStopping, prune } = flags;
  return {
    ...(time === undefined ? {} : { time }),
    ...(targetAccuracy === undefined ? {} : { targetAccuracy }),
    ...(evalEvery === undefined || evalEvery === 1 ? {} : { evalEvery }),
    ...(earlyStopping === undefined ? {} : { earlyStopping }),
    ...(prune === undefined ? {} : { prune }),
  };
}

/** @throws ArgumentError where a schedule needs to know the epochs, and nobody says how many */
export function checkScheduleLength(
  kind: string,
  arms: readonly ArmRecord[],
  call: {
    readonly budget?: BudgetOptions;
    readonly given: ReadonlySet<string>;
    readonly isFitted: (schedule: string | null) => boolean;
  },
): void {
  const { budget = {}, given, isFitted } = call;
  const arm = arms.find(({ schedule }) => isFitted(schedule));
  if (!arm || given.has("epochs")) return;
  if (budget.time === undefined && budget.targetAccuracy === undefined) return;
  const flag = budget.time === undefined ? "--target-accuracy" : "--time";
  throw new ArgumentError(
    `${kind}: --epochs must be given beside ${flag}, as the schedule of ${arm.name} is as long as the run; for example --epochs 20`,
  );
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };
