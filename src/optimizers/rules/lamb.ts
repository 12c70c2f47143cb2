/** @file LAMB: You et al. 2020, arxiv.org/abs/1904.00962, algorithm 2. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection, isPositive } from "../expression.ts";

/**
 * m = beta1 * m + (1 - beta1) * gradient
 * v = beta2 * v + (1 - beta2) * gradient^2
 * r = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay * parameter
 * parameter -= lr * |parameter| / |r| * r
 *
 * |.| is the Euclidean norm of the tensor; phi of the paper is the identity. The ratio is 1 where
 * either norm is 0, and with excludeBiasesAndNorms, the default, for biases and the gammas and
 * betas of norms, which do not decay either, as in the authors' code for BERT.
 * Hyperparameters: learningRate 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-6, weightDecay 1e-2,
 * excludeBiasesAndNorms 1 (or 0).
 */
export const lamb = defineOptimizer({
  name: "lamb",
  hyperparameters: {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-6,
    weightDecay: 1e-2,
    excludeBiasesAndNorms: 1,
  },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  flags: ["excludeBiasesAndNorms"],
  dialects: { paper: {}, optax: { weightDecay: 0, excludeBiasesAndNorms: 0 } },
  state: () => ({ m: zerosLike("parameter"), v: zerosLike("parameter") }),
  update(
    { parameter, gradient, state, lr, t, isWeight },
    { beta1, beta2, epsilon, weightDecay },
    { excludeBiasesAndNorms },
  ) {
    const excludes = excludeBiasesAndNorms === 1;
    const m = state.m.mul(beta1).add(gradient.mul(beta1.complement()));
    const v = state.v.mul(beta2).add(gradient.square().mul(beta2.complement()));
    const denominator = v.sqrt().div(biasCorrection(beta2, t).sqrt()).add(epsilon);
    const decay = excludes ? weightDecay.mul(isWeight) : weightDecay;
    const r = m.div(biasCorrection(beta1, t)).div(denominator).add(parameter.mul(decay));
    const size = parameter.square().sum("tensor").sqrt();
    const length = r.square().sum("tensor").sqrt();
    const both = isPositive(size).mul(isPositive(length));
    const adapted = excludes ? both.mul(isWeight) : both;
    const ratio = adapted.mul(size.div(length.positiveOr(1))).add(adapted.complement());
    return { m, v, parameter: parameter.sub(r.mul(lr.mul(ratio))) };
  },
});
