/** @file Two-dimensional max pooling; padding counts as minus infinity, a partial window is dropped. */

import { get } from "../core/at.ts";
import { elementCount, formatShape, isShape4 } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";
import { type WindowAttributes, windowOutput } from "./window.ts";

/** dx at the place that the workspace names += dy; 0 elsewhere */
export const maxPool2dBackward = defineGradientOp({
  name: "maxPool2dBackward",
  inputs: ["dy", "workspace"],
  outputs: ["dx"],
  flops: ({ dy }) => elementCount(dy),
});

/**
 * Shapes: x (B,C,H,W) -> y (B,C,H',W'); the workspace, one byte for each of y's elements or more,
 * holds the place of the maximum (the first, among equals) and is made in training only.
 */
export const maxPool2d = defineOp<"x", "y" | "workspace?", WindowAttributes>({
  name: "maxPool2d",
  inputs: ["x"],
  outputs: ["y", "workspace?"],
  dtypes: { workspace: "u8" },
  infer({ x }, { attributes, fail }) {
    if (!isShape4(x)) return fail(`expects x (B,C,H,W); x is ${formatShape(x)}`);
    const [B, C, H, W] = x;
    const { kernel, padding } = attributes;
    if (kernel.some((extent, axis) => 2 * (padding[axis] ?? 0) > extent))
      fail(
        `padding must be at most half the kernel ${formatShape(kernel)}; padding is ${formatShape(padding)}`,
      );
    const y = [B, C, ...windowOutput([H, W], attributes, fail)];
    return { y, workspace: y };
  },
  flops: ({ y }, { kernel }) => elementCount(y) * elementCount(kernel),
  saves: ["workspace"],
  backward({ saved, shapes, gradients: { y: dy }, attributes, emit }) {
    const workspace = get(saved, "workspace", "saved");
    return { x: emit(maxPool2dBackward, { dy, workspace }, { dx: shapes.x }, attributes).dx };
  },
});
