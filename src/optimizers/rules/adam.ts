/** @file Adam: Kingma & Ba 2015, arxiv.org/abs/1412.6980, algorithm 1. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection } from "../expression.ts";

/**
 * g = gradient + weightDecay * parameter
 * m = beta1 * m + (1 - beta1) * g
 * v = beta2 * v + (1 - beta2) * g^2
 * w = amsgrad ? (vMax = max(vMax, v)) : v
 * parameter -= lr / (1 - beta1^t) * m / (sqrt(w) / sqrt(1 - beta2^t) + epsilon)
 *
 * As torch.optim.Adam: epsilon is added after the bias correction, and weight decay is coupled.
 * AMSGrad is Reddi, Kale & Kumar 2018, arxiv.org/abs/1904.09237, algorithm 2, with the bias
 * correction that PyTorch gives it: the greatest v is kept uncorrected.
 * Hyperparameters: learningRate 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0,
 * amsgrad 0 (or 1).
 */
export const adam = defineOptimizer({
  name: "adam",
  hyperparameters: {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    amsgrad: 0,
  },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  flags: ["amsgrad"],
  dialects: { torch: {}, optax: {}, tfjs: { epsilon: 1e-7 }, paper: {} },
  state: ({ amsgrad }) => ({
    m: zerosLike("parameter"),
    v: zerosLike("parameter"),
    ...(amsgrad === 1 && { vMax: zerosLike("parameter") }),
  }),
  update({ parameter, gradient, state, lr, t }, { beta1, beta2, epsilon, weightDecay }) {
    const g = gradient.add(parameter.mul(weightDecay));
    const m = state.m.mul(beta1).add(g.mul(beta1.complement()));
    const v = state.v.mul(beta2).add(g.square().mul(beta2.complement()));
    const vMax = state.vMax?.max(v);
    const root = (vMax ?? v).sqrt().div(biasCorrection(beta2, t).sqrt());
    const step = m.div(root.add(epsilon)).mul(lr.div(biasCorrection(beta1, t)));
    return { m, v, ...(vMax && { vMax }), parameter: parameter.sub(step) };
  },
});
