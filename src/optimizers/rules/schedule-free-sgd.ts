/** @file Schedule-Free SGD: Defazio et al. 2024, arxiv.org/abs/2405.15682, section 2. */

import { copyOfParameter, defineOptimizer, zerosLike } from "../define.ts";
import { scheduleFreeStep } from "./schedule-free.ts";

/**
 * z -= lr * (gradient + weightDecay * y)
 * x = (1 - c) x + c z,   c = weight / (sum of weights so far)
 * y = (1 - momentum) z + momentum x
 *
 * The gradient is taken at y, which is the parameter; x, the weighted average of z, is what is
 * evaluated. A weight is t^weightPower times the greatest rate so far ^ ratePower. As the authors'
 * SGDScheduleFree; they keep y and z and compute x, here all three are kept. Warm up the rate, but
 * let it not fall. Batch norm's statistics belong to y: they are taken anew before an evaluation.
 * Hyperparameters: learningRate 1, momentum 0.9, weightDecay 0, ratePower 2, weightPower 0.
 */
export const scheduleFreeSgd = defineOptimizer({
  name: "schedule-free-sgd",
  hyperparameters: { learningRate: 1, momentum: 0.9, weightDecay: 0, ratePower: 2, weightPower: 0 },
  belowOne: ["momentum"],
  state: () => ({
    z: copyOfParameter(),
    x: copyOfParameter(),
    greatestWeight: zerosLike("global"),
    weightSum: zerosLike("global"),
  }),
  evaluationWeights: "x",
  update(inputs, { learningRate, momentum, weightDecay, ratePower, weightPower }) {
    const { parameter, gradient } = inputs;
    const direction = gradient.add(parameter.mul(weightDecay));
    return scheduleFreeStep(inputs, direction, { learningRate, momentum, ratePower, weightPower });
  },
});
