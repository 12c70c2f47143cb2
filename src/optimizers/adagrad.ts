/** @file Adagrad: Duchi, Hazan & Singer, JMLR 12 (2011). */

import { defineOptimizer, filledLike } from "./define.ts";

/**
 * g = gradient + weightDecay * parameter
 * sum += g^2
 * parameter -= lr / (1 + (t - 1) * learningRateDecay) * g / (sqrt(sum) + epsilon)
 *
 * As torch.optim.Adagrad. Hyperparameters: learningRate 1e-2, learningRateDecay 0, weightDecay 0,
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
  state: ({ initialAccumulator }) => ({ sum: filledLike("parameter", initialAccumulator) }),
  update({ parameter, gradient, state, lr, t }, { learningRateDecay, weightDecay, epsilon }) {
    const g = gradient.add(parameter.mul(weightDecay));
    const sum = state.sum!.add(g.square());
    const rate = lr.div(t.sub(1).mul(learningRateDecay).add(1));
    const step = g.div(sum.sqrt().add(epsilon));
    return { sum, parameter: parameter.sub(step.mul(rate)) };
  },
});
