/** @file The linear layer y = x weight^T + bias and its derivatives. x may be (B,C,H,W): (B, C*H*W). */

import { flagAttribute, type Kernel } from "./kernel.ts";

export const linear: Kernel = ({ instruction, inputs: [x, weight, bias], outputs: [y] }) => {
  const relu = flagAttribute(instruction, "relu");
  const [B = 1, O = 1] = y!.shape;
  const I = x!.data.length / B;
  for (let b = 0; b < B; b++)
    for (let o = 0; o < O; o++) {
      let sum = bias ? bias.data[o]! : 0;
      for (let i = 0; i < I; i++) sum += x!.data[b * I + i]! * weight!.data[o * I + i]!;
      y!.data[b * O + o] = relu ? Math.max(0, sum) : sum;
    }
};

/** dx = dy weight: (B,O) (O,I) -> (B,I) */
export const linearBackwardData: Kernel = ({ inputs: [dy, weight], outputs: [dx] }) => {
  const [B = 1, O = 1] = dy!.shape;
  const I = dx!.data.length / B;
  const row = new Float64Array(I);
  for (let b = 0; b < B; b++) {
    row.fill(0);
    for (let o = 0; o < O; o++) {
      const d = dy!.data[b * O + o]!;
      for (let i = 0; i < I; i++) row[i]! += d * weight!.data[o * I + i]!;
    }
    dx!.data.set(row, b * I);
  }
};

/** dweight = dy^T x: (O,B) (B,I) -> (O,I);  dbias = sum over B of dy */
export const linearBackwardWeights: Kernel = ({ inputs: [x, dy], outputs: [dweight, dbias] }) => {
  const [B = 1, O = 1] = dy!.shape;
  const I = x!.data.length / B;
  const row = new Float64Array(I);
  for (let o = 0; o < O; o++) {
    row.fill(0);
    let sum = 0;
    for (let b = 0; b < B; b++) {
      const d = dy!.data[b * O + o]!;
      sum += d;
      for (let i = 0; i < I; i++) row[i]! += d * x!.data[b * I + i]!;
    }
    dweight!.data.set(row, o * I);
    if (dbias) dbias.data[o] = sum;
  }
};
