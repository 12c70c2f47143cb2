/** @file From --seed and --seeds to the seeds themselves. */

import { ArgumentError } from "../../core/errors.ts";

/** The greatest key of the random streams. */
const GREATEST_SEED = 0xffff_ffff;

/** "--seeds 3 --seed 5": 5, 6, 7. @throws ArgumentError where they pass the greatest seed */
export function seedsFrom(command: string, seed: number, count: number): number[] {
  if (seed + count - 1 > GREATEST_SEED)
    throw new ArgumentError(
      `${command}: --seed and those that follow it must be at most ${GREATEST_SEED}; got --seed ${seed} and ${count} of them`,
    );
  return Array.from({ length: count }, (_, index) => seed + index);
}
