/**
 * @file Softmax, and its fusion with cross-entropy, as PyTorch's cross_entropy(weight,
 * label_smoothing, reduction "mean") over the rows whose label is not -1:
 *
 *   loss = sum over rows of [(1 - s) w[y] (-log p[y]) + s / K * sum over k of w[k] (-log p[k])] / sum of w[y]
 *
 * With no row left, or none of positive weight, loss and gradient are 0.
 */

import { type Kernel, numberAttribute } from "./kernel.ts";
import type { Reals } from "./memory.ts";

/** log softmax of a row; the row's maximum is subtracted before exp. */
function logSoftmax(row: Reals): Float64Array {
  const values = Float64Array.from(row);
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of values) maximum = Math.max(maximum, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - maximum);
  const logSum = maximum + Math.log(sum);
  return values.map((value) => value - logSum);
}

/** Index of the first largest value. */
function argmax(row: Reals): number {
  let best = 0;
  for (let k = 1; k < row.length; k++) if (row[k]! > row[best]!) best = k;
  return best;
}

export const softmax: Kernel = ({ inputs: [logits], outputs: [probabilities] }) => {
  const [B = 1, K = 1] = logits!.shape;
  for (let b = 0; b < B; b++)
    probabilities!.data.set(
      logSoftmax(logits!.data.subarray(b * K, b * K + K)).map(Math.exp),
      b * K,
    );
};

export const softmaxCrossEntropy: Kernel = ({
  instruction,
  inputs: [logits, labels, classWeights],
  outputs: [loss, correct, dlogits],
}) => {
  const smoothing = numberAttribute(instruction, "labelSmoothing");
  const [B = 1, K = 1] = logits!.shape;
  const weightOf = (k: number) => (classWeights ? classWeights.data[k]! : 1);
  let weightOfAll = 0;
  for (let k = 0; k < K; k++) weightOfAll += weightOf(k);
  let total = 0;
  for (let b = 0; b < B; b++) if (labels!.data[b]! >= 0) total += weightOf(labels!.data[b]!);
  const scale = total > 0 ? 1 / total : 0;

  let sum = 0;
  let hits = 0;
  for (let b = 0; b < B; b++) {
    const label = labels!.data[b]!;
    const gradient = dlogits?.data.subarray(b * K, b * K + K);
    if (label < 0) {
      gradient?.fill(0);
      continue;
    }
    const row = logits!.data.subarray(b * K, b * K + K);
    if (argmax(row) === label) hits++;
    const logs = logSoftmax(row);
    // The target distribution, times the weights: -sum over k of target[k] log p[k] is the row's loss.
    const target = (k: number) => ((k === label ? 1 - smoothing : 0) + smoothing / K) * weightOf(k);
    for (let k = 0; k < K; k++) if (target(k) !== 0) sum -= target(k) * logs[k]!;
    if (!gradient) continue;
    const mass = (1 - smoothing) * weightOf(label) + (smoothing / K) * weightOfAll;
    for (let k = 0; k < K; k++) gradient[k] = (Math.exp(logs[k]!) * mass - target(k)) * scale;
  }
  loss!.data[0] = sum * scale;
  correct!.data[0] = hits;
};
