/** @file What a scalar of an update depends on: one tensor, or the network as a whole. */

import type { Scalar } from "./expression.ts";
import type { OptimizerState } from "./types.ts";

/** Whether the scalar may differ between tensors; what is summed over all of them does not. */
export function readsOneTensor(of: Scalar, state: readonly OptimizerState[]): boolean {
  const { node } = of;
  switch (node.kind) {
    case "constant":
    case "hyperparameter":
    case "count":
    case "product":
      return false;
    case "segment":
      return true;
    case "state":
      return state.some(({ name, shape }) => name === node.name && shape === "tensor");
    case "reduction":
      return node.scope === "tensor";
    case "unary":
      return readsOneTensor(node.a, state);
    case "binary":
      return readsOneTensor(node.a, state) || readsOneTensor(node.b, state);
    default:
      return node satisfies never;
  }
}
