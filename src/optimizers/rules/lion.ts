/** @file Lion: Chen et al. 2023, arxiv.org/abs/2302.06675, algorithm 2. */

import { defineOptimizer, zerosLike } from "../define.ts";

/**
 * direction = sign(beta1 * m + (1 - beta1) * gradient)
 * parameter = (1 - lr * weightDecay) * parameter - lr * direction
 * m = beta2 * m + (1 - beta2) * gradient
 *
 * Weight decay is decoupled. Every element moves by the rate, so that rates are 3 to 10 times
 * smaller, and weight decay as much larger, than AdamW's (section 5 of the paper).
 * Hyperparameters: learningRate 1e-4, beta1 0.9, beta2 0.99, weightDecay 0.
 */
export const lion = defineOptimizer({
  name: "lion",
  hyperparameters: { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
  belowOne: ["beta1", "beta2"],
  dialects: { paper: {}, optax: { weightDecay: 1e-3 } },
  state: () => ({ m: zerosLike("parameter") }),
  update({ parameter, gradient, state, lr }, { beta1, beta2, weightDecay }) {
    const { m } = state;
    const direction = m.mul(beta1).add(gradient.mul(beta1.complement())).sign();
    const decayed = parameter.mul(lr.mul(weightDecay).complement());
    return {
      m: m.mul(beta2).add(gradient.mul(beta2.complement())),
      parameter: decayed.sub(direction.mul(lr)),
    };
  },
});
