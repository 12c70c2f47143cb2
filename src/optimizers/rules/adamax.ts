/** @file Adamax: Kingma & Ba 2015, arxiv.org/abs/1412.6980, algorithm 2. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection } from "../expression.ts";

/**
 * g = gradient + weightDecay * parameter
 * m = beta1 * m + (1 - beta1) * g
 * u = max(beta2 * u, |g| + epsilon)
 * parameter -= lr / (1 - beta1^t) * m / u
 *
 * As torch.optim.Adamax: epsilon is inside the maximum; the dialect tfjs adds it to u below m.
 * Hyperparameters: learningRate 2e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0.
 */
export const adamax = defineOptimizer({
  name: "adamax",
  hyperparameters: { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  dialects: { torch: {}, optax: {}, tfjs: { epsilon: 1e-7 } },
  state: () => ({ m: zerosLike("parameter"), u: zerosLike("parameter") }),
  update(
    { parameter, gradient, state, lr, t },
    { beta1, beta2, epsilon, weightDecay },
    _settings,
    dialect,
  ) {
    const g = gradient.add(parameter.mul(weightDecay));
    const m = state.m.mul(beta1).add(g.mul(beta1.complement()));
    const outside = dialect === "tfjs";
    const u = state.u.mul(beta2).max(outside ? g.abs() : g.abs().add(epsilon));
    const step = m.div(outside ? u.add(epsilon) : u).mul(lr.div(biasCorrection(beta1, t)));
    return { m, u, parameter: parameter.sub(step) };
  },
});
