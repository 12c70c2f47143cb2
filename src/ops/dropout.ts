/**
 * @file Inverted dropout: y = x keep / (1 - p), keep 0 with probability p, else 1.
 * The mask is a pure function of (seed, update, layerIndex, element), so it is drawn a second time
 * rather than saved. In evaluation the op is gone.
 */

import { elementCount } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

export type DropoutAttributes = {
  /** Probability of dropping an element, in [0, 1). */
  readonly p: number;
  /** Ordinal of this dropout in the network. */
  readonly layerIndex: number;
};

/** dx = dy keep / (1 - p) */
export const dropoutBackward = defineGradientOp({
  name: "dropoutBackward",
  inputs: ["dy"],
  outputs: ["dx"],
  inPlace: [["dy", "dx"]],
  flops: ({ dy }) => elementCount(dy),
});

/** Any shape; y has x's. */
export const dropout = defineOp<"x", "y", DropoutAttributes>({
  name: "dropout",
  inputs: ["x"],
  outputs: ["y"],
  inPlace: [["x", "y"]],
  infer: ({ x }) => ({ y: x }),
  flops: ({ x }) => elementCount(x),
  saves: [],
  backward: ({ gradients: { y: dy }, attributes, emit }) => ({
    x: emit(dropoutBackward, { dy }, { dx: dy.shape }, attributes).dx,
  }),
});
