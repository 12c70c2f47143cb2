/**
 * @file Batch normalisation over (B,H,W) for each channel; x (B,C,H,W) or (B,C).
 * Biased variance normalises, the unbiased one enters the running statistic (PyTorch, and
 * Ioffe & Szegedy 2015, algorithm 1). With `relu`, the output is max(0, y) and the derivative
 * recomputes which outputs were positive, so that no workspace is needed.
 */

import { flagAttribute, imageExtents, type Kernel, numberAttribute } from "./kernel.ts";
import type { Tensor } from "./memory.ts";

/** Calls `visit` with the index of every element of channel c. */
function forChannel(x: Tensor, c: number, visit: (index: number) => void): void {
  const [B, C, H, W] = imageExtents(x);
  for (let b = 0; b < B; b++) {
    const start = (b * C + c) * H * W;
    for (let i = 0; i < H * W; i++) visit(start + i);
  }
}

/** The backward pass must decide "positive" exactly as the forward pass did: one formula. */
const normalised = (x: number, mean: number, variance: number, epsilon: number) =>
  (x - mean) / Math.sqrt(variance + epsilon);

export const batchNormTrain: Kernel = ({
  instruction,
  inputs: [x, gamma, beta, runningMean, runningVariance],
  outputs: [y, mean, variance],
}) => {
  const epsilon = numberAttribute(instruction, "epsilon");
  const momentum = numberAttribute(instruction, "momentum");
  const relu = flagAttribute(instruction, "relu");
  const [B, C, H, W] = imageExtents(x!);
  const count = B * H * W;
  for (let c = 0; c < C; c++) {
    let sum = 0;
    forChannel(x!, c, (i) => (sum += x!.data[i]!));
    const channelMean = sum / count;
    let squares = 0;
    forChannel(x!, c, (i) => (squares += (x!.data[i]! - channelMean) ** 2));
    mean!.data[c] = channelMean;
    variance!.data[c] = squares / count;
    const m = mean!.data[c]!;
    const v = variance!.data[c]!;
    forChannel(x!, c, (i) => {
      const value = gamma!.data[c]! * normalised(x!.data[i]!, m, v, epsilon) + beta!.data[c]!;
      y!.data[i] = relu ? Math.max(0, value) : value;
    });
    runningMean!.data[c] = (1 - momentum) * runningMean!.data[c]! + momentum * channelMean;
    runningVariance!.data[c] =
      (1 - momentum) * runningVariance!.data[c]! + momentum * (squares / (count - 1));
  }
};

export const batchNormEvaluate: Kernel = ({
  instruction,
  inputs: [x, gamma, beta, runningMean, runningVariance],
  outputs: [y],
}) => {
  const epsilon = numberAttribute(instruction, "epsilon");
  const relu = flagAttribute(instruction, "relu");
  const [, C] = imageExtents(x!);
  for (let c = 0; c < C; c++) {
    const m = runningMean!.data[c]!;
    const v = runningVariance!.data[c]!;
    forChannel(x!, c, (i) => {
      const value = gamma!.data[c]! * normalised(x!.data[i]!, m, v, epsilon) + beta!.data[c]!;
      y!.data[i] = relu ? Math.max(0, value) : value;
    });
  }
};

/** dx = dy gamma / sqrt(runningVariance + epsilon) */
export const batchNormEvaluateBackward: Kernel = ({
  instruction,
  inputs: [dy, gamma, runningVariance],
  outputs: [dx],
}) => {
  const epsilon = numberAttribute(instruction, "epsilon");
  const [, C] = imageExtents(dy!);
  for (let c = 0; c < C; c++) {
    const scale = gamma!.data[c]! / Math.sqrt(runningVariance!.data[c]! + epsilon);
    forChannel(dy!, c, (i) => {
      dx!.data[i] = scale * dy!.data[i]!;
    });
  }
};

/**
 * With h = (x - mean) / sqrt(variance + epsilon) and n = B*H*W:
 *   dbeta = sum dy,  dgamma = sum dy h,  dx = gamma / sqrt(variance + epsilon) * (dy - dbeta / n - h dgamma / n)
 */
export const batchNormBackward: Kernel = ({
  instruction,
  inputs: [x, dy, gamma, beta, mean, variance],
  outputs: [dx, dgamma, dbeta],
}) => {
  const epsilon = numberAttribute(instruction, "epsilon");
  const relu = flagAttribute(instruction, "relu");
  const [B, C, H, W] = imageExtents(x!);
  const count = B * H * W;
  for (let c = 0; c < C; c++) {
    const m = mean!.data[c]!;
    const v = variance!.data[c]!;
    const g = gamma!.data[c]!;
    const at = (i: number) => {
      const h = normalised(x!.data[i]!, m, v, epsilon);
      const passes = !relu || g * h + beta!.data[c]! > 0;
      return { h, d: passes ? dy!.data[i]! : 0 };
    };
    let sum = 0;
    let product = 0;
    forChannel(x!, c, (i) => {
      const { h, d } = at(i);
      sum += d;
      product += d * h;
    });
    const scale = g / Math.sqrt(v + epsilon);
    forChannel(x!, c, (i) => {
      const { h, d } = at(i);
      dx!.data[i] = scale * (d - sum / count - (h * product) / count);
    });
    dgamma!.data[c] = product;
    dbeta!.data[c] = sum;
  }
};
