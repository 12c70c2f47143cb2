/** @file The reference backend's answers to the layout pass: plain layouts, no scratchpad. */

import { elementCount } from "../../core/shapes.ts";
import {
  type LayoutAnswer,
  type LayoutRequest,
  layoutBytes,
  plainLayout,
} from "../../program/index.ts";

/** Index of the workspace among a kind's outputs. Batch norm needs none: it recomputes. */
const WORKSPACE: Partial<Record<LayoutRequest["kind"], number>> = {
  batchNormTrain: 3,
  maxPool2d: 1,
};

export function chooseLayouts({ kind, inputs, outputs }: LayoutRequest): LayoutAnswer {
  const workspace = WORKSPACE[kind] ?? -1;
  const isBackwardOfPool = kind === "maxPool2dBackward";
  const isBackwardOfNorm = kind === "batchNormBackward";
  return {
    inputs: inputs.map(({ shape }, i) =>
      (isBackwardOfPool && i === 1) || (isBackwardOfNorm && i === 6)
        ? "opaque"
        : plainLayout(shape.length),
    ),
    outputs: outputs.map(({ shape }, i) =>
      i === workspace ? "opaque" : plainLayout(shape.length),
    ),
    outputBytes: outputs.map(({ shape, dtype }, i) => {
      if (i !== workspace) return layoutBytes(plainLayout(shape.length), shape, dtype);
      return kind === "maxPool2d" ? elementCount(outputs[0]!.shape) * 4 : 0;
    }),
    scratchBytes: 0,
    implementation: "reference",
  };
}
