/** @file Lookahead around any optimizer: Zhang et al. 2019, arxiv.org/abs/1907.08610, algorithm 1. */

import { checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { isPositive, Scalar, Vector } from "../expression.ts";
import type { Optimizer, UpdateExpression } from "../types.ts";

/** Settings of `lookahead`. */
export interface LookaheadOptions {
  /** Updates of the inner optimizer between two steps of the slow weights; default 5. */
  readonly k?: number;
  /** Fraction of the way that the slow weights go, in [0, 1]; default 0.5. */
  readonly alpha?: number;
}

/**
 * The optimizer's own updates; after every k of them slow += alpha (fast - slow), fast = slow.
 *
 * The slow weights begin as a copy of the parameters, and are what is evaluated, as in the paper;
 * batch norm's statistics are taken anew before. The inner optimizer's state is kept at a step of
 * the slow weights. They become the hyperparameters `lookaheadK` and `lookaheadAlpha`.
 * @throws ArgumentError unless k is a positive integer and alpha in [0, 1], or around an optimizer
 *   that evaluates with weights of its own
 */
export function lookahead(
  optimizer: Optimizer,
  { k = 5, alpha = 0.5 }: LookaheadOptions = {},
): Optimizer {
  const name = `lookahead-${optimizer.name}`;
  checkPositiveInteger(name, "k", k);
  if (!(alpha >= 0 && alpha <= 1))
    throw new ArgumentError(`${name}: alpha must be in [0, 1]; got ${alpha}`);
  if (optimizer.evaluationWeights !== null)
    throw new ArgumentError(
      `${name}: ${optimizer.name} evaluates with weights of its own ("${optimizer.evaluationWeights}"); ` +
        "lookahead goes around an optimizer that does not",
    );
  const hyperparameter = (of: string) => new Scalar({ kind: "hyperparameter", name: of });
  const count = new Scalar({ kind: "count" });
  const slow = new Vector({ kind: "source", name: "slow" });
  const atStep = isPositive(count.mod(hyperparameter("lookaheadK"))).complement();
  const around = (expression: UpdateExpression): UpdateExpression => {
    const fast = expression.parameter as Vector;
    const share = atStep.mul(hyperparameter("lookaheadAlpha"));
    const next = slow.add(fast.sub(slow).mul(share));
    // One of the two is multiplied by 1, the other by 0: neither is rounded.
    const parameter = fast.mul(atStep.complement()).add(next.mul(atStep));
    return { ...expression, slow: next, parameter };
  };
  const { expression, rest, hyperparameters, state } = optimizer;
  return {
    ...optimizer,
    name,
    hyperparameters: Object.freeze({ ...hyperparameters, lookaheadK: k, lookaheadAlpha: alpha }),
    state: [...state, { name: "slow", shape: "parameter", initial: "parameter" }],
    expression: around(expression),
    rest: rest && { ...rest, expression: around(rest.expression) },
    evaluationWeights: "slow",
  };
}
