/** @file Probabilities from logits, for prediction alone: training uses softmaxCrossEntropy. */

import { elementCount, formatShape } from "../core/shapes.ts";
import { defineOp } from "../ir/index.ts";

/** Shapes: logits (B,K) -> probabilities (B,K); each row sums to 1. */
export const softmax = defineOp<"logits", "probabilities">({
  name: "softmax",
  fullPrecision: "operands",
  inputs: ["logits"],
  outputs: ["probabilities"],
  infer({ logits }, { fail }) {
    if (logits.length !== 2) fail(`expects logits (B,K); logits are ${formatShape(logits)}`);
    return { probabilities: logits };
  },
  flops: ({ logits }) => 4 * elementCount(logits),
});
