/** @file RMSprop: Tieleman & Hinton, lecture 6.5 (2012); centered as in Graves 2013, eq. 38-41. */

import { defineOptimizer, zerosLike } from "./define.ts";

/**
 * g = gradient + weightDecay * parameter
 * squares = alpha * squares + (1 - alpha) * g^2
 * mean = alpha * mean + (1 - alpha) * g                   (centered only)
 * scaled = g / (sqrt(squares [- mean^2]) + epsilon)
 * b = momentum * b + scaled;  parameter -= lr * b         (without momentum: lr * scaled)
 *
 * As torch.optim.RMSprop; the rate is outside the buffer b. With momentum 0 there is no b.
 * Hyperparameters: learningRate 1e-2, alpha 0.99, epsilon 1e-8, momentum 0, weightDecay 0,
 * centered 0 (or 1).
 */
export const rmsprop = defineOptimizer({
  name: "rmsprop",
  hyperparameters: {
    learningRate: 1e-2,
    alpha: 0.99,
    epsilon: 1e-8,
    momentum: 0,
    weightDecay: 0,
    centered: 0,
  },
  belowOne: ["alpha"],
  positive: ["epsilon"],
  flags: ["centered"],
  state: ({ momentum, centered }) => ({
    squares: zerosLike("parameter"),
    ...(centered === 1 && { mean: zerosLike("parameter") }),
    ...(momentum > 0 && { momentum: zerosLike("parameter") }),
  }),
  update({ parameter, gradient, state, lr }, { alpha, epsilon, momentum, weightDecay }) {
    const g = gradient.add(parameter.mul(weightDecay));
    const squares = state.squares!.mul(alpha).add(g.square().mul(alpha.complement()));
    const mean = state.mean?.mul(alpha).add(g.mul(alpha.complement()));
    // Rounding may take the variance below zero; PyTorch would give NaN there.
    const variance = mean ? squares.sub(mean.square()).max(0) : squares;
    const scaled = g.div(variance.sqrt().add(epsilon));
    const b = state.momentum?.mul(momentum).add(scaled);
    return {
      squares,
      ...(mean && { mean }),
      ...(b && { momentum: b }),
      parameter: parameter.sub((b ?? scaled).mul(lr)),
    };
  },
});
