/** @file From the flags of a budget to what the lab is asked for. */

import { ArgumentError } from "../../core/errors.ts";
import type { ArmRecord, Ends } from "../../record/index.ts";

/** Epochs at most, where time or a target ends a run and nobody says how many. */
const MOST_EPOCHS = 1000;

/** `--epochs`; beside `--time` or `--target-accuracy` alone, as good as none. */
export const epochsOf = (
  {
    epochs,
    time,
    targetAccuracy,
  }: { epochs: number } & Loose<Pick<Ends, "time" | "targetAccuracy">>,
  given: ReadonlySet<string>,
): number =>
  given.has("epochs") || (time === undefined && targetAccuracy === undefined)
    ? epochs
    : MOST_EPOCHS;

/** @throws ArgumentError where a schedule needs to know the epochs, and nobody says how many */
export function checkScheduleLength(
  kind: string,
  arms: readonly ArmRecord[],
  call: {
    readonly budget?: Loose<Ends>;
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
