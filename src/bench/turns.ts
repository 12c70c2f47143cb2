/** @file Sides of a benchmark take turns in one run, so that a slow minute of the machine falls on all. */

import { setTimeout as pause } from "node:timers/promises";
import { at } from "../core/at.ts";
import { InterruptedError } from "../core/errors.ts";

export interface BenchProgress {
  /** Repetitions made, of all sides, and to make. */
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

/** One side of a benchmark. */
export interface Side {
  readonly name: string;
  /** Milliseconds of each of so many repetitions. */
  run(repetitions: number): Promise<number[]>;
  readonly times: number[];
}

export interface Times {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** A peer's time, and how many times slower than ours it is. */
export interface BenchPeer extends Times {
  /** "pytorch 1.13.1, channels_last, 2 threads" */
  readonly name: string;
  /** Peer's median / our median: above 1, ours is faster. */
  readonly ratio: number;
}

const ROUNDS = 5;
const WARM_UP = 3;
/** Lets a side's OpenMP threads stop spinning before the other side's turn, in milliseconds. */
const SETTLE_MS = 50;

/** Warms every side up, then measures `repetitions` of each in rounds of turns. */
export async function takeTurns(options: {
  sides: readonly Side[];
  repetitions: number;
  /** Repetitions of each side that are not counted; default 3. */
  warmUp?: number | undefined;
  /**
   * Repetitions at the start of each turn that are not counted, as the other sides' turns have emptied the
   * caches, which no repetition of a training finds; default 0.
   */
  leadIn?: number | undefined;
  onProgress?: ((progress: BenchProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { sides, repetitions, warmUp = WARM_UP, leadIn = 0, onProgress, signal } = options;
  const rounds = Math.min(ROUNDS, repetitions);
  const total = sides.length * (warmUp + rounds * leadIn + repetitions);
  let done = 0;
  const turn = async (side: Side, count: number) => {
    if (signal?.aborted) throw new InterruptedError("interrupted; nothing was recorded");
    onProgress?.({ done, total, what: side.name });
    await pause(SETTLE_MS);
    const times = await side.run(count);
    done += count;
    return times;
  };
  if (warmUp > 0) for (const side of sides) await turn(side, warmUp);
  for (let round = 0; round < rounds; round++) {
    // Round r ends at repetition floor((r + 1) n / rounds): uneven counts spread over the rounds.
    const count =
      Math.floor(((round + 1) * repetitions) / rounds) - Math.floor((round * repetitions) / rounds);
    for (const side of sides) side.times.push(...(await turn(side, leadIn + count)).slice(leadIn));
  }
  onProgress?.({ done, total, what: "done" });
}

/** Median, least and greatest. */
export function statistics(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const time = (place: number) => at(sorted, place, "times");
  return {
    medianMs: (time(Math.floor(middle)) + time(Math.ceil(middle) - 1)) / 2,
    minMs: time(0),
    maxMs: time(-1),
  };
}

/** The other sides' times beside the first one's. */
export function comparedWith(own: Times, sides: readonly Side[]): BenchPeer[] {
  return sides.map(({ name, times }) => {
    const theirs = statistics(times);
    return { name, ...theirs, ratio: theirs.medianMs / own.medianMs };
  });
}
