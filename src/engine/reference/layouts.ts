/** @file The reference backend's answers to the layout pass: plain layouts, no scratchpad. */

import { elementCount } from "../../core/shapes.ts";
import {
  type LayoutAnswer,
  type LayoutRequest,
  layoutBytes,
  plainLayout,
} from "../../program/index.ts";

/** Index of a workspace that is used; the other kinds recompute what theirs would hold. */
const WORKSPACES: Partial<Record<LayoutRequest["kind"], number>> = {
  maxPool2d: 1,
  batchNormPoolTrain: 3,
  conv2dNormPoolTrain: 3,
  batchNormAddTrain: 3,
};

/** Workspaces are the operands of bytes: opaque, an element for each of the first output's. */
export function chooseLayouts({ kind, inputs, outputs }: LayoutRequest): LayoutAnswer {
  const layoutOf = ({ shape, dtype }: LayoutRequest["inputs"][number]) =>
    dtype === "u8" ? "opaque" : plainLayout(shape.length);
  return {
    inputs: inputs.map(layoutOf),
    outputs: outputs.map(layoutOf),
    outputBytes: outputs.map(({ shape, dtype }, i) => {
      if (dtype !== "u8") return layoutBytes(plainLayout(shape.length), shape, dtype);
      return WORKSPACES[kind] === i ? elementCount(outputs[0]!.shape) * 4 : 0;
    }),
    scratchBytes: 0,
    implementation: "reference",
  };
}
