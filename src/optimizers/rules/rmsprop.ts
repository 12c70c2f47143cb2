/** @file RMSprop: Tieleman & Hinton, lecture 6.5 (2012); centered as in Graves 2013, eq. 38-41. */

import { defineOptimizer, zerosLike } from "../define.ts";

/** Keeps a division by 0 from where TensorFlow.js would have NaN. */
const LEAST_VARIANCE = 1e-36;

/**
 * g = gradient + weightDecay * parameter
 * squares = alpha * squares + (1 - alpha) * g^2
 * mean = alpha * mean + (1 - alpha) * g                   (centered only)
 * scaled = g / (sqrt(squares [- mean^2]) + epsilon)
 * b = momentum * b + scaled;  parameter -= lr * b         (without momentum: lr * scaled)
 *
 * As torch.optim.RMSprop; the rate is outside the buffer b. In the other dialects epsilon is inside the
 * root and the rate inside the buffer, which shows where the rate changes. With momentum 0 there is no b.
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
  dialects: {
    torch: {},
    optax: { alpha: 0.9 },
    tfjs: { alpha: 0.9, epsilon: 1e-7 },
    // Graves 2013, section 2.2.
    paper: { learningRate: 1e-4, alpha: 0.95, momentum: 0.9, epsilon: 1e-4, centered: 1 },
  },
  state: ({ momentum, centered }) => ({
    squares: zerosLike("parameter"),
    ...(centered === 1 && { mean: zerosLike("parameter") }),
    ...(momentum > 0 && { momentum: zerosLike("parameter") }),
  }),
  update(
    { parameter, gradient, state, lr },
    { alpha, epsilon, momentum, weightDecay },
    _settings,
    dialect,
  ) {
    const g = gradient.add(parameter.mul(weightDecay));
    const squares = state.squares.mul(alpha).add(g.square().mul(alpha.complement()));
    const mean = state.mean?.mul(alpha).add(g.mul(alpha.complement()));
    // Rounding may take the variance below zero; PyTorch would give NaN there.
    const variance = mean ? squares.sub(mean.square()).max(0) : squares;
    const states = { squares, ...(mean && { mean }) };
    if (dialect === "torch") {
      const scaled = g.div(variance.sqrt().add(epsilon));
      const b = state.momentum?.mul(momentum).add(scaled);
      const parameterNow = parameter.sub((b ?? scaled).mul(lr));
      return { ...states, ...(b && { momentum: b }), parameter: parameterNow };
    }
    // TensorFlow.js subtracts epsilon where it is centred, and has NaN where nothing is left.
    const root =
      dialect === "tfjs" && mean
        ? squares.sub(mean.square().add(epsilon)).max(LEAST_VARIANCE).sqrt()
        : variance.add(epsilon).sqrt();
    const step = g.div(root).mul(lr);
    const b = state.momentum?.mul(momentum).add(step);
    return { ...states, ...(b && { momentum: b }), parameter: parameter.sub(b ?? step) };
  },
});
