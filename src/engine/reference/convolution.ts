/**
 * @file Convolution and its two derivatives, as cross-correlation (no kernel flip), written as the
 * definition reads: y[b,o,i,j] = bias[o] + sum over c,k,l of x[b,c, i*s-p+k, j*s-p+l] w[o,c,k,l];
 * c counts from the first channel of o's group.
 * Sums run in doubles and are rounded once, when they are stored.
 */

import { InternalError } from "../../core/errors.ts";
import type { Instruction } from "../../program/index.ts";
import { flagAttribute, imageExtents, type Kernel, pairAttribute } from "./kernel.ts";

/** First and one-past-last output index whose input index i*stride - padding + tap is inside. */
function insideRange(outputs: number, extent: number, stride: number, shift: number) {
  const first = Math.max(0, Math.ceil(-shift / stride));
  const end = Math.min(outputs, Math.floor((extent - 1 - shift) / stride) + 1);
  return [first, end] as const;
}

interface Geometry {
  readonly x: readonly [number, number, number, number];
  readonly y: readonly [number, number, number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly groups: number;
}

/** Groups of channels; absent: 1. */
const groupsOf = ({ attributes }: Instruction): number =>
  typeof attributes.groups === "number" ? attributes.groups : 1;

/** Zeros after the image are read nowhere: they only say how large y is. */
function checkExtents(instruction: Instruction, { x, y, kernel, stride, padding }: Geometry): void {
  const after = instruction.attributes.paddingAfter
    ? pairAttribute(instruction, "paddingAfter")
    : padding;
  for (const axis of [0, 1] as const) {
    const padded = padding[axis] + x[2 + axis]! + after[axis];
    const extent = Math.floor((padded - kernel[axis]) / stride[axis]) + 1;
    if (y[2 + axis] !== extent)
      throw new InternalError(
        `${instruction.kind} "${instruction.layer}": stride and padding lead to ${extent} places, y has ${y[2 + axis]}`,
      );
  }
}

/** Of an instruction whose tensors are in these places, or whose gradients are. */
function geometryOf(
  instruction: Instruction,
  { x, y, weight }: Readonly<Record<"x" | "y" | "weight", Parameters<typeof imageExtents>[0]>>,
): Geometry {
  const [, , kh, kw] = imageExtents(weight);
  const geometry: Geometry = {
    x: imageExtents(x),
    y: imageExtents(y),
    kernel: [kh, kw],
    stride: pairAttribute(instruction, "stride"),
    padding: pairAttribute(instruction, "padding"),
    groups: groupsOf(instruction),
  };
  checkExtents(instruction, geometry);
  return geometry;
}

/** Calls `row` with every run of aligned (x, y) elements for each weight: the one loop nest. */
function forEachRow(
  { x: [, C, H, W], y: [B, O, outH, outW], kernel: [kh, kw], stride, padding, groups }: Geometry,
  row: (weight: number, o: number, x: number, y: number, count: number) => void,
): void {
  const each = C / groups;
  for (let b = 0; b < B; b++)
    for (let o = 0; o < O; o++)
      for (let c = 0; c < each; c++)
        for (let k = 0; k < kh; k++)
          for (let l = 0; l < kw; l++) {
            const weight = ((o * each + c) * kh + k) * kw + l;
            const channel = Math.floor((o * groups) / O) * each + c;
            const [top, bottom] = insideRange(outH, H, stride[0], k - padding[0]);
            const [left, right] = insideRange(outW, W, stride[1], l - padding[1]);
            if (right <= left) continue;
            for (let i = top; i < bottom; i++) {
              const xRow = ((b * C + channel) * H + i * stride[0] + k - padding[0]) * W;
              const yRow = ((b * O + o) * outH + i) * outW;
              const xStart = xRow + left * stride[1] + l - padding[1];
              row(weight, o, xStart, yRow + left, right - left);
            }
          }
}

export const conv2d: Kernel = ({ instruction, inputs: [x, weight, bias], outputs: [y] }) => {
  const geometry = geometryOf(instruction, { x: x!, y: y!, weight: weight! });
  const [, O, outH, outW] = imageExtents(y!);
  const sums = new Float64Array(y!.data.length);
  if (bias)
    for (let i = 0; i < sums.length; i++) sums[i] = bias.data[Math.floor(i / (outH * outW)) % O]!;
  const xs = x!.data;
  const ws = weight!.data;
  const step = geometry.stride[1];
  forEachRow(geometry, (w, _o, xStart, yStart, count) => {
    const value = ws[w]!;
    for (let j = 0; j < count; j++) sums[yStart + j]! += value * xs[xStart + j * step]!;
  });
  const relu = flagAttribute(instruction, "relu");
  y!.data.set(relu ? sums.map((sum) => Math.max(0, sum)) : sums);
};

export const conv2dBackwardData: Kernel = ({
  instruction,
  inputs: [dy, weight],
  outputs: [dx],
}) => {
  const geometry = geometryOf(instruction, { x: dx!, y: dy!, weight: weight! });
  const sums = new Float64Array(dx!.data.length);
  const dys = dy!.data;
  const ws = weight!.data;
  const step = geometry.stride[1];
  forEachRow(geometry, (w, _o, xStart, yStart, count) => {
    const value = ws[w]!;
    for (let j = 0; j < count; j++) sums[xStart + j * step]! += value * dys[yStart + j]!;
  });
  dx!.data.set(sums);
};

export const conv2dBackwardWeights: Kernel = ({
  instruction,
  inputs: [x, dy],
  outputs: [dweight, dbias],
}) => {
  const geometry = geometryOf(instruction, { x: x!, y: dy!, weight: dweight! });
  const [, O, outH, outW] = imageExtents(dy!);
  const sums = new Float64Array(dweight!.data.length);
  const xs = x!.data;
  const dys = dy!.data;
  const step = geometry.stride[1];
  forEachRow(geometry, (w, _o, xStart, yStart, count) => {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += xs[xStart + j * step]! * dys[yStart + j]!;
    sums[w]! += sum;
  });
  dweight!.data.set(sums);
  if (!dbias) return;
  const biasSums = new Float64Array(O);
  for (let i = 0; i < dys.length; i++) biasSums[Math.floor(i / (outH * outW)) % O]! += dys[i]!;
  dbias.data.set(biasSums);
};
