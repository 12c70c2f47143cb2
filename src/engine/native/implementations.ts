/** @file The ways in which the native engine computes a convolution, in one of its passes. */

import { AddonError } from "../../core/errors.ts";
import type { LayoutAnswer, LayoutRequest } from "../../program/index.ts";

/**
 * Not every machine and shape has each:
 * - direct: oneDNN's direct kernels, activations in the blocked layout
 * - winograd: F(4x4,3x3), for 3x3 and stride 1; our own, on AVX2 or AVX-512
 * - product: a 1x1 convolution as a matrix product
 * - channels-last: oneDNN's direct kernels, activations with channels innermost
 */
export const CONVOLUTION_IMPLEMENTATIONS = [
  "direct",
  "winograd",
  "product",
  "channels-last",
] as const;

const CONVOLUTIONS = ["conv2d", "conv2dBackwardData", "conv2dBackwardWeights"];

/** Those that the engine does not refuse; none where the kind has one implementation only. */
export const implementationsFor = (
  request: LayoutRequest,
  chooseLayouts: (request: LayoutRequest) => LayoutAnswer,
): readonly string[] =>
  CONVOLUTIONS.includes(request.kind)
    ? CONVOLUTION_IMPLEMENTATIONS.filter((wanted) => isThere({ ...request, wanted }, chooseLayouts))
    : [];

function isThere(
  request: LayoutRequest,
  chooseLayouts: (request: LayoutRequest) => LayoutAnswer,
): boolean {
  try {
    chooseLayouts(request);
    return true;
  } catch (error) {
    if (error instanceof AddonError) return false;
    throw error;
  }
}
