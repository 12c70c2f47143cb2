/** @file Muon: Jordan et al. 2024, kellerjordan.github.io/posts/muon; with AdamW for what is no hidden matrix. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection } from "../expression.ts";

/** Of the quintic whose iteration brings singular values to about 1 fastest (Jordan et al. 2024). */
const NEWTON_SCHULZ = { coefficients: [3.4445, -4.775, 2.0315], steps: 5 } as const;

/**
 * Hidden weights, as matrices (out, in):
 *   m = momentum m + (1 - momentum) g
 *   o = orthogonalised(nesterov ? momentum m + (1 - momentum) g : m)
 *   p = (1 - lr weightDecay) p - lr sqrt(max(1, rows / columns)) o
 * The first and the last weight, biases and norms: AdamW at lr * adamRateScale
 *
 * Orthogonalised is five steps of the Newton-Schulz iteration, in float32 (the authors use bf16),
 * which bring every singular value to about 1. A convolution's weight (O,I,kh,kw) is the matrix
 * (O, I kh kw), and its scale is of that matrix; torch.optim.Muon takes two dimensions alone.
 * Hyperparameters: learningRate 0.02, momentum 0.95, nesterov 1 (or 0), weightDecay 0,
 * adamRateScale 0.015 (a rate of 3e-4), beta1 0.9, beta2 0.95, epsilon 1e-10.
 */
export const muon = defineOptimizer({
  name: "muon",
  hyperparameters: {
    learningRate: 0.02,
    momentum: 0.95,
    nesterov: 1,
    weightDecay: 0,
    adamRateScale: 0.015,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-10,
  },
  belowOne: ["momentum", "beta1", "beta2"],
  positive: ["epsilon"],
  flags: ["nesterov"],
  state: () => ({
    momentum: { ...zerosLike("parameter"), only: "matrices" },
    m: { ...zerosLike("parameter"), only: "rest" },
    v: { ...zerosLike("parameter"), only: "rest" },
  }),
  update(
    { parameter, gradient, state, lr, rows, columns },
    { momentum, weightDecay },
    { nesterov },
  ) {
    const fresh = gradient.mul(momentum.complement());
    const b = state.momentum.mul(momentum).add(fresh);
    const direction = nesterov === 1 ? b.mul(momentum).add(fresh) : b;
    const orthogonal = direction.matrix("newtonSchulz", { ...NEWTON_SCHULZ, epsilon: 1e-7 });
    const decayed = parameter.mul(lr.mul(weightDecay).complement());
    const scale = rows.div(columns).max(1).sqrt();
    return { momentum: b, parameter: decayed.sub(orthogonal.mul(lr.mul(scale))) };
  },
  rest: {
    matrices: "hidden",
    update(
      { parameter, gradient, state, lr, t },
      { adamRateScale, beta1, beta2, epsilon, weightDecay },
    ) {
      const rate = lr.mul(adamRateScale);
      const m = state.m.mul(beta1).add(gradient.mul(beta1.complement()));
      const v = state.v.mul(beta2).add(gradient.square().mul(beta2.complement()));
      const root = v.sqrt().div(biasCorrection(beta2, t).sqrt()).add(epsilon);
      const step = m.div(root).mul(rate.div(biasCorrection(beta1, t)));
      const decayed = parameter.mul(rate.mul(weightDecay).complement());
      return { m, v, parameter: decayed.sub(step) };
    },
  },
});
