/** @file Gradient accumulation, in front of any optimizer: one update from several micro-batches. */

import { checkPositive } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { fill, Scalar, scalar, Vector } from "./expression.ts";
import { replaceSources } from "./rewrite.ts";
import type { Optimizer } from "./types.ts";

const SUM = "accumulatedGradient";
const SHARE = "share";

export interface Accumulating {
  /** Adds a micro-batch's gradient to the sum; parameters stay. */
  readonly gather: Optimizer;
  /** Adds the last micro-batch's, updates with the sum as gradient, and empties it. */
  readonly apply: Optimizer;
}

/**
 * An optimizer in two halves that share their state, which has the sum of gradients besides. Each
 * micro-batch comes with its `share`, its part of the update's examples or of their class weights, so that
 * the sum is the mean over the update's examples: the gradient of one large batch, where no example's
 * gradient depends on the others of its batch (batch normalisation's does). `clip`, a greatest norm, is that of the sum,
 * as is clipping by value.
 * @throws ArgumentError for an optimizer that needs a second gradient an update
 */
export function accumulate(optimizer: Optimizer, { clip }: { clip?: number } = {}): Accumulating {
  if (optimizer.gradientEvaluations !== 1)
    throw new ArgumentError(
      `${optimizer.name}: it needs ${optimizer.gradientEvaluations} gradients an update, which micro-batches cannot give; leave accumulation out`,
    );
  if (clip !== undefined) checkPositive(optimizer.name, "clip", clip);
  const source = (name: string) => new Vector({ kind: "source", name });
  const share = new Scalar({ kind: "hyperparameter", name: SHARE });
  const sum = source(SUM).add(source("gradient").mul(share));
  const gradient = { gradient: clip === undefined ? sum : clippedByNorm(sum, clip) };
  const emptied = { [SUM]: fill(scalar(0)) };
  const { expression, rest } = optimizer;
  const both = {
    ...optimizer,
    hyperparameters: Object.freeze({ ...optimizer.hyperparameters, [SHARE]: 1 }),
    state: [...optimizer.state, { name: SUM, shape: "parameter" as const, initial: 0 }],
  };
  return {
    gather: {
      ...both,
      name: "gather",
      expression: { [SUM]: sum },
      rest: null,
      evaluationWeights: null,
    },
    apply: {
      ...both,
      expression: { ...replaceSources(expression, gradient), ...emptied },
      rest: rest && {
        ...rest,
        expression: { ...replaceSources(rest.expression, gradient), ...emptied },
      },
    },
  };
}

/** As torch.nn.utils.clip_grad_norm_ does: times min(1, clip / (norm + 1e-6)). */
function clippedByNorm(gradient: Vector, clip: number): Vector {
  const norm = gradient.square().sum("all").sqrt();
  return gradient.mul(scalar(clip).div(norm.add(1e-6)).min(1));
}
