/**
 * @file Initial values of parameters, statistics and optimizer state, in logical order.
 * Element i takes word i % 4 of Philox counter (i / 4, ordinal, 0, 0), key (seed, "initialise");
 * values are computed in doubles and rounded once to f32, so both precisions begin alike.
 */

import { philox, type Words4 } from "../../core/philox.ts";
import { STREAMS } from "../../core/random.ts";
import type { Initializer } from "../../program/index.ts";
import type { Reals } from "./memory.ts";

const TWO_32 = 0x1_0000_0000;

/** Box-Muller: one pair of words gives two normal values; (0, 1) elements 0 and 1, (2, 3) the rest. */
function boxMuller(words: Words4, element: number): number {
  const pair = element & 2;
  const radius = Math.sqrt(-2 * Math.log((words[pair]! + 1) / TWO_32));
  const angle = (2 * Math.PI * words[pair + 1]!) / TWO_32;
  return radius * (element & 1 ? Math.sin(angle) : Math.cos(angle));
}

export function fillInitial(
  data: Reals,
  initializer: Initializer,
  seed: number,
  ordinal: number,
): void {
  if (initializer.kind === "constant") {
    data.fill(Math.fround(initializer.value));
    return;
  }
  let words: Words4 = [0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    if (i % 4 === 0) words = philox([i >>> 2, ordinal >>> 0, 0, 0], seed >>> 0, STREAMS.initialise);
    data[i] = Math.fround(
      initializer.kind === "uniform"
        ? initializer.low + (initializer.high - initializer.low) * (words[i & 3]! / TWO_32)
        : initializer.std * boxMuller(words, i & 3),
    );
  }
}
