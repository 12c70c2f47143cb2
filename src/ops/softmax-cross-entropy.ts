/**
 * @file Mean cross-entropy of integer labels under softmax(logits), in nats; a uniform guess over
 * 10 classes scores ln 10 = 2.303.
 *
 * With p = softmax(z), label y, smoothing s, class weights w (1 if absent), n rows counted
 * (labels of -1 are not), as PyTorch's CrossEntropyLoss:
 *   loss = sum over rows of [(1 - s) w_y (-log p_y) + s / K * sum_k w_k (-log p_k)] / sum over rows of w_y
 * Numerics: the row's maximum is subtracted before exp.
 */

import { elementCount, formatShape } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

export type SoftmaxCrossEntropyAttributes = {
  /** s, in [0, 1) */
  readonly labelSmoothing: number;
};

/**
 * With target t = (1 - s) w_y onehot(y) + s / K * w and T = sum of t over classes:
 *   dlogits = (T softmax(z) - t) / sum over rows of w_y; 0 in rows that do not count
 * The fusion pass makes it the third output of the forward op, which has the softmax at hand.
 */
export const softmaxCrossEntropyGradient = defineGradientOp({
  name: "softmaxCrossEntropyGradient",
  fullPrecision: "operands",
  inputs: ["logits", "labels", "classWeights?"],
  outputs: ["dlogits"],
  flops: ({ logits }) => 3 * elementCount(logits),
});

/** Shapes: logits (B,K), labels (B) i32 in [-1,K), classWeights (K) -> loss (1), correct (1), [dlogits (B,K)]. */
export const softmaxCrossEntropy = defineOp<
  "logits" | "labels" | "classWeights?",
  "loss" | "correct" | "dlogits?",
  SoftmaxCrossEntropyAttributes
>({
  name: "softmaxCrossEntropy",
  fullPrecision: "operands",
  inputs: ["logits", "labels", "classWeights?"],
  outputs: ["loss", "correct", "dlogits?"],
  infer({ logits, labels, classWeights }, { fail }) {
    const [B, K] = logits;
    if (logits.length !== 2) fail(`expects logits (B,K); logits are ${formatShape(logits)}`);
    if (labels.length !== 1 || labels[0] !== B)
      fail(
        `expects labels [${B}] to match logits ${formatShape(logits)}; labels are ${formatShape(labels)}`,
      );
    if (classWeights && (classWeights.length !== 1 || classWeights[0] !== K))
      fail(
        `expects ${K} class weights to match logits ${formatShape(logits)}; got ${classWeights[0]}`,
      );
    return { loss: [1], correct: [1], dlogits: logits };
  },
  flops: ({ logits }) => 5 * elementCount(logits),
  saves: ["logits", "labels", "classWeights"],
  backward: ({ saved, attributes, emit }) => ({
    logits: emit(softmaxCrossEntropyGradient, saved, { dlogits: saved.logits.shape }, attributes)
      .dlogits,
  }),
});
