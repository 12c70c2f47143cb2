/**
 * @file Inverted dropout (Srivastava et al. 2014): y = x * keep / (1 - p). The mask is a pure
 * function of (seed, update, layer, element), so the derivative draws it again instead of
 * keeping it. Word `element % 4` of Philox counter (element / 4, update, layerIndex, 0).
 */

import { philox, type Words4 } from "../../core/philox.ts";
import { STREAMS } from "../../core/random.ts";
import { type Kernel, numberAttribute } from "./kernel.ts";

/** x -> x * mask; on dy it is the derivative: the operation is linear and its own transpose. */
export const dropout: Kernel = ({ instruction, inputs: [x], outputs: [y], seed, update }) => {
  const p = numberAttribute(instruction, "p");
  const layerIndex = numberAttribute(instruction, "layerIndex");
  // p = 1 would keep nothing: y = 0, not 0 * infinity.
  const scale = p < 1 ? Math.fround(1 / (1 - p)) : 0;
  let words: Words4 = [0, 0, 0, 0];
  for (let i = 0; i < y!.data.length; i++) {
    if (i % 4 === 0)
      words = philox([i >>> 2, update >>> 0, layerIndex >>> 0, 0], seed >>> 0, STREAMS.dropout);
    const keep = words[i % 4]! / 0x1_0000_0000 >= p;
    y!.data[i] = keep ? x!.data[i]! * scale : 0;
  }
};
