/** @file ReLU, addition, and the reorder, which between plain layouts is a copy. */

import { flagAttribute, type Kernel } from "./kernel.ts";

export const relu: Kernel = ({ inputs: [x], outputs: [y] }) => {
  for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.max(0, x!.data[i]!);
};

/** y is the forward pass's output: positive exactly where its input was. */
export const reluBackward: Kernel = ({ inputs: [y, dy], outputs: [dx] }) => {
  for (let i = 0; i < dx!.data.length; i++) dx!.data[i] = y!.data[i]! > 0 ? dy!.data[i]! : 0;
};

export const add: Kernel = ({ instruction, inputs: [a, b], outputs: [y] }) => {
  const lowest = flagAttribute(instruction, "relu") ? 0 : Number.NEGATIVE_INFINITY;
  for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.max(lowest, a!.data[i]! + b!.data[i]!);
};

export const reorder: Kernel = ({ inputs: [x], outputs: [y] }) => {
  y!.data.set(x!.data);
};
