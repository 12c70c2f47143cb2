/** @file Schedule-Free AdamW: Defazio et al. 2024, arxiv.org/abs/2405.15682, algorithm 1. */

import { copyOfParameter, defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection } from "../expression.ts";
import { scheduleFreeStep } from "./schedule-free.ts";

/**
 * v = beta2 v + (1 - beta2) gradient^2
 * z -= lr * (gradient / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay * y)
 * x = (1 - c) x + c z,   c = weight / (sum of weights so far)
 * y = (1 - beta1) z + beta1 x
 *
 * As the authors' AdamWScheduleFree; see schedule-free-sgd.ts for y, x and the weights. There is no
 * first moment: the average takes its place.
 * Hyperparameters: learningRate 2.5e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0,
 * ratePower 2, weightPower 0.
 */
export const scheduleFreeAdamw = defineOptimizer({
  name: "schedule-free-adamw",
  hyperparameters: {
    learningRate: 2.5e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    ratePower: 2,
    weightPower: 0,
  },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  state: () => ({
    v: zerosLike("parameter"),
    z: copyOfParameter(),
    x: copyOfParameter(),
    greatestWeight: zerosLike("global"),
    weightSum: zerosLike("global"),
  }),
  evaluationWeights: "x",
  update(inputs, { learningRate, beta1, beta2, epsilon, weightDecay, ratePower, weightPower }) {
    const { parameter, gradient, state, t } = inputs;
    const v = state.v.mul(beta2).add(gradient.square().mul(beta2.complement()));
    const root = v.sqrt().div(biasCorrection(beta2, t).sqrt()).add(epsilon);
    const direction = gradient.div(root).add(parameter.mul(weightDecay));
    const weights = { learningRate, momentum: beta1, ratePower, weightPower };
    return { v, ...scheduleFreeStep(inputs, direction, weights) };
  },
});
