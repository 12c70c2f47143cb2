/** @file How much of a training step the optimizer's update takes, measured on the loaded program. */

import { median } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import type { LoadedProgram, RunOptions } from "../program/index.ts";

/** Enough for a median that one disturbed step does not move. */
const PROFILED_STEPS = 3;

/**
 * Median over a few profiled steps of (milliseconds of the optimizer's instructions / of all). Runs
 * real steps: the caller keeps and restores what they change. null where a profile shows no time.
 */
export async function optimizerShare(
  loaded: LoadedProgram,
  options: RunOptions,
): Promise<number | null> {
  const shares: number[] = [];
  for (let step = 0; step < PROFILED_STEPS; step++) {
    const times = await loaded.profile(options);
    let all = 0;
    let own = 0;
    for (const [index, { kind }] of loaded.program.instructions.entries()) {
      const time = at(times, index, "times");
      all += time;
      if (kind === "optimizer") own += time;
    }
    if (all > 0) shares.push(own / all);
  }
  return shares.length === 0 ? null : median(shares);
}
