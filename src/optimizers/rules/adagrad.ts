/** @file Adagrad: Duchi, Hazan & Singer, JMLR 12 (2011). */

import { defineOptimizer, filledLike } from "../define.ts";

/**
 * g = gradient + weightDecay * parameter
 * sum += g^2
 * parameter -= lr / (1 + (t - 1) * learningRateDecay) * g / (sqrt(sum) + epsilon)
 *
 * As torch.optim.Adagrad; in the dialects optax and tfjs sqrt(sum + epsilon), where sum begins at 0.1.
 * Hyperparameters: learningRate 1e-2, learningRateDecay 0, weightDecay 0,
 * initialAccumulator 0 (where `sum` begins), epsilon 1e-10.
 */
export const adagrad = defineOptimizer({
  name: "adagrad",
  hyperparameters: {
    learningRate: 1e-2,
    learningRateDecay: 0,
    weightDecay: 0,
    initialAccumulator: 0,
    epsilon: 1e-10,
  },
  positive: ["epsilon"],
  dialects: {
    torch: {},
    optax: { initialAccumulator: 0.1, epsilon: 1e-7 },
    tfjs: { initialAccumulator: 0.1, epsilon: 1e-7 },
    paper: {},
  },
  state: ({ initialAccumulator }) => ({ sum: filledLike("parameter", initialAccumulator) }),
  update(
    { parameter, gradient, state, lr, t },
    { learningRateDecay, weightDecay, epsilon },
    _settings,
    dialect,
  ) {
    const g = gradient.add(parameter.mul(weightDecay));
    const sum = state.sum.add(g.square());
    const rate = lr.div(t.sub(1).mul(learningRateDecay).add(1));
    const insideRoot = dialect === "optax" || dialect === "tfjs";
    const step = g.div(insideRoot ? sum.add(epsilon).sqrt() : sum.sqrt().add(epsilon));
    return { sum, parameter: parameter.sub(step.mul(rate)) };
  },
});
