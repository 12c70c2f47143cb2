/** @file LARS: You, Gitman & Ginsburg 2017, arxiv.org/abs/1708.03888, algorithm 1. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { isPositive } from "../expression.ts";

/**
 * ratio = trustCoefficient * |parameter| / (|gradient| + weightDecay * |parameter| + epsilon)
 * b = momentum * b + lr * ratio * (gradient + weightDecay * parameter)
 * parameter -= b                                  (without momentum there is no b)
 *
 * |.| is the Euclidean norm of the tensor. The ratio is 1 where either norm is 0, and with
 * excludeBiasesAndNorms, the default, for biases and the gammas and betas of norms, which do not
 * decay either. The rate is inside the buffer b, as in the paper.
 * Hyperparameters: learningRate 1 (the paper gives none: it depends on the batch), momentum 0.9,
 * weightDecay 5e-4, trustCoefficient 1e-3, epsilon 1e-8, excludeBiasesAndNorms 1 (or 0).
 */
export const lars = defineOptimizer({
  name: "lars",
  hyperparameters: {
    learningRate: 1,
    momentum: 0.9,
    weightDecay: 5e-4,
    trustCoefficient: 1e-3,
    epsilon: 1e-8,
    excludeBiasesAndNorms: 1,
  },
  positive: ["epsilon"],
  flags: ["excludeBiasesAndNorms"],
  state: ({ momentum }) => ({ ...(momentum > 0 && { momentum: zerosLike("parameter") }) }),
  update(
    { parameter, gradient, state, lr, isWeight },
    { momentum, weightDecay, trustCoefficient, epsilon },
    { excludeBiasesAndNorms },
  ) {
    const excludes = excludeBiasesAndNorms === 1;
    const decay = excludes ? weightDecay.mul(isWeight) : weightDecay;
    const size = parameter.square().sum("tensor").sqrt();
    const slope = gradient.square().sum("tensor").sqrt();
    const ratio = size.mul(trustCoefficient).div(slope.add(size.mul(decay)).add(epsilon));
    const both = isPositive(size).mul(isPositive(slope));
    const adapted = excludes ? both.mul(isWeight) : both;
    const rate = lr.mul(adapted.mul(ratio).add(adapted.complement()));
    const step = gradient.add(parameter.mul(decay)).mul(rate);
    const b = state.momentum?.mul(momentum).add(step);
    return { ...(b && { momentum: b }), parameter: parameter.sub(b ?? step) };
  },
});
