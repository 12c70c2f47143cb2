/**
 * @file Max pooling (padding counts as minus infinity, the first maximum of a window wins, as in
 * PyTorch), global and adaptive average pooling. The workspace of max pooling holds, for each output, the
 * position of its maximum in the window, kw * row + column.
 */

import { imageExtents, type Kernel, pairAttribute } from "./kernel.ts";

export const maxPool2d: Kernel = ({ instruction, inputs: [x], outputs: [y, workspace] }) => {
  const [kh, kw] = pairAttribute(instruction, "kernel");
  const [strideH, strideW] = pairAttribute(instruction, "stride");
  const [padH, padW] = pairAttribute(instruction, "padding");
  const [, , H, W] = imageExtents(x!);
  const [B, C, outH, outW] = imageExtents(y!);
  for (let plane = 0; plane < B * C; plane++)
    for (let i = 0; i < outH; i++)
      for (let j = 0; j < outW; j++) {
        let best = Number.NEGATIVE_INFINITY;
        let where = -1;
        for (let k = 0; k < kh; k++)
          for (let l = 0; l < kw; l++) {
            const row = i * strideH - padH + k;
            const column = j * strideW - padW + l;
            if (row < 0 || row >= H || column < 0 || column >= W) continue;
            const value = x!.data[(plane * H + row) * W + column]!;
            // A NaN wins, so that a diverged activation is not hidden by the pool.
            if (where < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
              best = value;
              where = k * kw + l;
            }
          }
        const index = (plane * outH + i) * outW + j;
        y!.data[index] = best;
        if (workspace) workspace.data[index] = where;
      }
};

export const maxPool2dBackward: Kernel = ({
  instruction,
  inputs: [dy, workspace],
  outputs: [dx],
}) => {
  const [, kw] = pairAttribute(instruction, "kernel");
  const [strideH, strideW] = pairAttribute(instruction, "stride");
  const [padH, padW] = pairAttribute(instruction, "padding");
  const [, , H, W] = imageExtents(dx!);
  const [B, C, outH, outW] = imageExtents(dy!);
  dx!.data.fill(0);
  for (let plane = 0; plane < B * C; plane++)
    for (let i = 0; i < outH; i++)
      for (let j = 0; j < outW; j++) {
        const index = (plane * outH + i) * outW + j;
        const where = workspace!.data[index]!;
        const row = i * strideH - padH + Math.floor(where / kw);
        const column = j * strideW - padW + (where % kw);
        dx!.data[(plane * H + row) * W + column]! += dy!.data[index]!;
      }
};

export const globalAveragePool: Kernel = ({ inputs: [x], outputs: [y] }) => {
  const [B, C, H, W] = imageExtents(x!);
  for (let plane = 0; plane < B * C; plane++) {
    let sum = 0;
    for (let i = 0; i < H * W; i++) sum += x!.data[plane * H * W + i]!;
    y!.data[plane] = sum / (H * W);
  }
};

export const globalAveragePoolBackward: Kernel = ({ inputs: [dy], outputs: [dx] }) => {
  const [B, C, H, W] = imageExtents(dx!);
  for (let plane = 0; plane < B * C; plane++)
    dx!.data.fill(dy!.data[plane]! / (H * W), plane * H * W, (plane + 1) * H * W);
};

/** Calls `visit` with each output's index and the indices of what its window holds. */
function forEachWindow(
  [planes, H, W]: readonly [number, number, number],
  [h, w]: readonly [number, number],
  visit: (output: number, inputs: readonly number[]) => void,
): void {
  const range = (i: number, outputs: number, extent: number) => {
    const first = Math.floor((i * extent) / outputs);
    const end = Math.ceil(((i + 1) * extent) / outputs);
    return Array.from({ length: end - first }, (_, k) => first + k);
  };
  for (let plane = 0; plane < planes; plane++)
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++)
        visit(
          (plane * h + i) * w + j,
          range(i, h, H).flatMap((row) => range(j, w, W).map((c) => (plane * H + row) * W + c)),
        );
}

export const adaptiveAveragePool2d: Kernel = ({ instruction, inputs: [x], outputs: [y] }) => {
  const [B, C, H, W] = imageExtents(x!);
  forEachWindow([B * C, H, W], pairAttribute(instruction, "outputSize"), (output, inputs) => {
    y!.data[output] = inputs.reduce((sum, i) => sum + x!.data[i]!, 0) / inputs.length;
  });
};

export const adaptiveAveragePool2dBackward: Kernel = ({
  instruction,
  inputs: [dy],
  outputs: [dx],
}) => {
  const [B, C, H, W] = imageExtents(dx!);
  const sums = new Float64Array(dx!.data.length);
  forEachWindow([B * C, H, W], pairAttribute(instruction, "outputSize"), (output, inputs) => {
    for (const i of inputs) sums[i]! += dy!.data[output]! / inputs.length;
  });
  dx!.data.set(sums);
};
