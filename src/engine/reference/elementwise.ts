/** @file ReLU, ReLU6, addition, and the reorder, which between plain layouts is a copy. */

import { flagAttribute, type Kernel } from "./kernel.ts";

export const relu: Kernel = ({ inputs: [x], outputs: [y] }) => {
  for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.max(0, x!.data[i]!);
};

/** y is the forward pass's output: positive exactly where its input was. */
export const reluBackward: Kernel = ({ inputs: [y, dy], outputs: [dx] }) => {
  for (let i = 0; i < dx!.data.length; i++) dx!.data[i] = y!.data[i]! > 0 ? dy!.data[i]! : 0;
};

export const relu6: Kernel = ({ inputs: [x], outputs: [y] }) => {
  for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.min(Math.max(0, x!.data[i]!), 6);
};

/** y is the forward pass's output: strictly between 0 and 6 exactly where its input was. */
export const relu6Backward: Kernel = ({ inputs: [y, dy], outputs: [dx] }) => {
  const passes = (value: number) => value > 0 && value < 6;
  for (let i = 0; i < dx!.data.length; i++) dx!.data[i] = passes(y!.data[i]!) ? dy!.data[i]! : 0;
};

export const add: Kernel = ({ instruction, inputs: [a, b], outputs: [y] }) => {
  const lowest = flagAttribute(instruction, "relu") ? 0 : Number.NEGATIVE_INFINITY;
  for (let i = 0; i < y!.data.length; i++) y!.data[i] = Math.max(lowest, a!.data[i]! + b!.data[i]!);
};

export const reorder: Kernel = ({ inputs: [x], outputs: [y] }) => {
  y!.data.set(x!.data);
};
