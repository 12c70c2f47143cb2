/** @file Adam: Kingma & Ba 2015, arxiv.org/abs/1412.6980, algorithm 1. */

import { defineOptimizer, zerosLike } from "./define.ts";
import { biasCorrection } from "./expression.ts";

/**
 * g = gradient + weightDecay * parameter
 * m = beta1 * m + (1 - beta1) * g
 * v = beta2 * v + (1 - beta2) * g^2
 * parameter -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *
 * As torch.optim.Adam: epsilon is added after the bias correction, and weight decay is coupled.
 * Hyperparameters: learningRate 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0.
 */
export const adam = defineOptimizer({
  name: "adam",
  hyperparameters: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  state: () => ({ m: zerosLike("parameter"), v: zerosLike("parameter") }),
  update({ parameter, gradient, state, lr, t }, { beta1, beta2, epsilon, weightDecay }) {
    const g = gradient.add(parameter.mul(weightDecay));
    const m = state.m!.mul(beta1).add(g.mul(beta1.complement()));
    const v = state.v!.mul(beta2).add(g.square().mul(beta2.complement()));
    const denominator = v.sqrt().div(biasCorrection(beta2, t).sqrt()).add(epsilon);
    const step = m.div(denominator).mul(lr.div(biasCorrection(beta1, t)));
    return { m, v, parameter: parameter.sub(step) };
  },
});
