/** @file An average of the parameters beside any optimizer: exponential, or of chosen moments. */

import { Scalar, Vector } from "./expression.ts";
import type { Optimizer, UpdateExpression } from "./types.ts";

/** Hyperparameter of `withAverage`: the share of this update's parameters in the average. */
export const AVERAGE_WEIGHT = "averageWeight";

/** State of `withAverage`. */
export const AVERAGE = "average";

/**
 * The optimizer's own updates, and after each: average += averageWeight (p - average).
 *
 * What the average is follows from the weight, which is given update by update: 1 / n at the n-th
 * chosen moment and 0 else is stochastic weight averaging (Izmailov et al. 2018,
 * arxiv.org/abs/1803.05407); (1 - decay) / (1 - decay^t) is an exponential mean with Adam's bias
 * correction, which is the parameters themselves at first.
 */
export function withAverage(optimizer: Optimizer): Optimizer {
  const weight = new Scalar({ kind: "hyperparameter", name: AVERAGE_WEIGHT });
  const average = new Vector({ kind: "source", name: AVERAGE });
  const beside = (expression: UpdateExpression): UpdateExpression => {
    const next = expression.parameter as Vector;
    return { ...expression, [AVERAGE]: average.add(next.sub(average).mul(weight)) };
  };
  const { expression, rest, hyperparameters, state } = optimizer;
  return {
    ...optimizer,
    hyperparameters: Object.freeze({ ...hyperparameters, [AVERAGE_WEIGHT]: 0 }),
    state: [...state, { name: AVERAGE, shape: "parameter", initial: "parameter" }],
    expression: beside(expression),
    rest: rest && { ...rest, expression: beside(rest.expression) },
  };
}

/** Weight of the t-th update, from 1, in an exponential mean with bias correction. */
export const exponentialWeight = (decay: number, t: number): number =>
  decay === 0 ? 1 : (1 - decay) / (1 - decay ** t);
