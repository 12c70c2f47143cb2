/** @file Clipping by value, in front of any optimizer. */

import { checkPositive } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { Scalar, scalar, Vector } from "./expression.ts";
import { replaceSources } from "./rewrite.ts";
import type { Optimizer } from "./types.ts";

/**
 * The optimizer with each element of the gradient first brought into [-limit, limit], as
 * torch.nn.utils.clip_grad_value_ does. The limit becomes the hyperparameter `clipValue`, which may
 * follow a schedule like any other. Where the gradient's norm is clipped too, that comes first. With
 * two gradients an update (SAM), the second is clipped.
 * @throws ArgumentError unless the limit is a positive number, or if it is clipped by value already
 */
export function clipByValue(optimizer: Optimizer, limit: number): Optimizer {
  checkPositive(optimizer.name, "clipValue", limit);
  if ("clipValue" in optimizer.hyperparameters)
    throw new ArgumentError(
      `${optimizer.name}: its gradient is clipped by value already, to ` +
        `${optimizer.hyperparameters.clipValue}; clip it once`,
    );
  const bound = new Scalar({ kind: "hyperparameter", name: "clipValue" });
  const gradient = new Vector({ kind: "source", name: "gradient" });
  const clipped = { gradient: gradient.max(scalar(0).sub(bound)).min(bound) };
  const { expression, rest } = optimizer;
  return {
    ...optimizer,
    hyperparameters: Object.freeze({ ...optimizer.hyperparameters, clipValue: limit }),
    expression: replaceSources(expression, clipped),
    rest: rest && { ...rest, expression: replaceSources(rest.expression, clipped) },
  };
}
