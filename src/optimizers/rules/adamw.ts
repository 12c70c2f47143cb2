/** @file AdamW: Loshchilov & Hutter 2019, arxiv.org/abs/1711.05101, algorithm 2. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection } from "../expression.ts";

/**
 * m = beta1 * m + (1 - beta1) * gradient
 * v = beta2 * v + (1 - beta2) * gradient^2
 * w = amsgrad ? (vMax = max(vMax, v)) : v
 * parameter = (1 - lr * weightDecay) * parameter
 *             - lr / (1 - beta1^t) * m / (sqrt(w) / sqrt(1 - beta2^t) + epsilon)
 *
 * As torch.optim.AdamW: weight decay is decoupled from the gradient's moments, but follows the
 * rate. With excludeBiasesAndNorms 1, only weights decay; PyTorch leaves that to parameter groups.
 * Hyperparameters: learningRate 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 1e-2,
 * amsgrad 0 (or 1), excludeBiasesAndNorms 0 (or 1).
 */
export const adamw = defineOptimizer({
  name: "adamw",
  hyperparameters: {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 1e-2,
    amsgrad: 0,
    excludeBiasesAndNorms: 0,
  },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  flags: ["amsgrad", "excludeBiasesAndNorms"],
  dialects: { torch: {}, optax: { weightDecay: 1e-4 } },
  state: ({ amsgrad }) => ({
    m: zerosLike("parameter"),
    v: zerosLike("parameter"),
    ...(amsgrad === 1 && { vMax: zerosLike("parameter") }),
  }),
  update(
    { parameter, gradient, state, lr, t, isWeight },
    { beta1, beta2, epsilon, weightDecay },
    { excludeBiasesAndNorms },
  ) {
    const m = state.m.mul(beta1).add(gradient.mul(beta1.complement()));
    const v = state.v.mul(beta2).add(gradient.square().mul(beta2.complement()));
    const vMax = state.vMax?.max(v);
    const root = (vMax ?? v).sqrt().div(biasCorrection(beta2, t).sqrt());
    const step = m.div(root.add(epsilon)).mul(lr.div(biasCorrection(beta1, t)));
    const decay = excludeBiasesAndNorms === 1 ? weightDecay.mul(isWeight) : weightDecay;
    const decayed = parameter.mul(lr.mul(decay).complement());
    return { m, v, ...(vMax && { vMax }), parameter: decayed.sub(step) };
  },
});
