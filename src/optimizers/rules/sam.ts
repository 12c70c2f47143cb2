/** @file Sharpness-aware minimisation around any optimizer: Foret et al. 2021, arxiv.org/abs/2010.01412. */

import { checkPositive } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { Scalar, Vector } from "../expression.ts";
import { replaceSources } from "../rewrite.ts";
import type { Optimizer } from "../types.ts";

/** Settings of `sam`. */
export interface SamOptions {
  /** Radius of the neighbourhood; default 0.05. */
  readonly rho?: number;
}

/**
 * w = p + rho g / |g|, the norm over all tensors together; the gradient once more at w, on the same
 * batch; then the optimizer's update of p with that second gradient (the paper's algorithm 1).
 *
 * An update costs two steps. Batch norm's running statistics and the reported loss are those of the
 * first, as the widely used PyTorch port advises; dropout draws by the number of the update, so both
 * gradients see the same masks. Clipping is of the second gradient. rho is the hyperparameter
 * `samRho`.
 * @throws ArgumentError unless rho is a positive number, or around an optimizer that takes two
 *   gradients already
 */
export function sam(optimizer: Optimizer, { rho = 0.05 }: SamOptions = {}): Optimizer {
  const name = `sam-${optimizer.name}`;
  checkPositive(name, "rho", rho);
  if (optimizer.gradientEvaluations !== 1)
    throw new ArgumentError(`${name}: ${optimizer.name} takes two gradients an update already`);
  const source = (of: string) => new Vector({ kind: "source", name: of });
  const [parameter, gradient] = [source("parameter"), source("gradient")];
  const radius = new Scalar({ kind: "hyperparameter", name: "samRho" });
  const norm = gradient.square().sum("all").sqrt();
  const { expression, rest, hyperparameters, state } = optimizer;
  const centre = { parameter: source("centre") };
  return {
    ...optimizer,
    name,
    hyperparameters: Object.freeze({ ...hyperparameters, samRho: rho }),
    state: [...state, { name: "centre", shape: "parameter", initial: 0 }],
    perturbation: {
      centre: parameter,
      parameter: parameter.add(gradient.mul(radius.div(norm.add(1e-12)))),
    },
    expression: replaceSources(expression, centre),
    rest: rest && { ...rest, expression: replaceSources(rest.expression, centre) },
    gradientEvaluations: 2,
  };
}
