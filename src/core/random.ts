/**
 * @file Named random streams over Philox. Every use of chance in lrscope has a stream of its own,
 * keyed by the seed, so that one use never shifts another:
 *
 *   key = (seed, stream)   counter = (index, a, b, c)
 *
 *   order          a = epoch                         Fisher-Yates shuffle of an epoch
 *   split          a = class                         stratified split
 *   augmentation   a = epoch, b = image              native/images/augment.cc
 *   dropout        a = update, b = layer, index = element / 4: word (element % 4)
 *   initialise     a = parameter ordinal, index = element / 4: word (element % 4)
 *   synthetic      a = image                         the synthetic source
 */

import { at } from "./at.ts";
import { philox } from "./philox.ts";

/** Stream numbers; native/core/philox.h has the same table. */
export const STREAMS = {
  order: 1,
  split: 2,
  augmentation: 3,
  dropout: 4,
  initialise: 5,
  synthetic: 6,
  bootstrap: 7,
} as const;

export type StreamName = keyof typeof STREAMS;

export interface RandomStream {
  /** The next unsigned 32-bit word. */
  word(): number;
  /** Uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number;
  /** Uniform integer in [0, bound), without modulo bias. */
  below(bound: number): number;
}

/** A stream of words: pure function of (seed, name, a, b, c); index counts calls. */
export function randomStream(seed: number, name: StreamName, a = 0, b = 0, c = 0): RandomStream {
  let index = 0;
  /** Of the last draw, the next one last. */
  let left: number[] = [];
  const word = (): number => {
    const next = left.pop();
    if (next !== undefined) return next;
    const counter = [index++ >>> 0, a >>> 0, b >>> 0, c >>> 0] as const;
    const [first, ...others] = philox(counter, seed >>> 0, STREAMS[name]);
    left = others.reverse();
    return first;
  };
  return {
    word,
    uniform: () => word() / 0x1_0000_0000,
    below(bound) {
      // Rejection keeps every residue equally likely.
      const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
      for (;;) {
        const candidate = word();
        if (candidate < limit) return candidate % bound;
      }
    },
  };
}

/** Fisher-Yates permutation of 0 .. count - 1 drawn from the stream. */
export function permutation(count: number, stream: RandomStream): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    const held = at(order, i, "order");
    order[i] = at(order, j, "order");
    order[j] = held;
  }
  return order;
}
