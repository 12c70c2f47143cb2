/** @file Adadelta: Zeiler 2012, arxiv.org/abs/1212.5701, algorithm 1, with a learning rate. */

import { defineOptimizer, zerosLike } from "../define.ts";

/**
 * g = gradient + weightDecay * parameter
 * squares = rho * squares + (1 - rho) * g^2
 * delta = sqrt(deltas + epsilon) / sqrt(squares + epsilon) * g
 * deltas = rho * deltas + (1 - rho) * delta^2
 * parameter -= lr * delta
 *
 * As torch.optim.Adadelta; the dialect tfjs divides by the squares of before this update.
 * Hyperparameters: learningRate 1, rho 0.9, epsilon 1e-6, weightDecay 0.
 */
export const adadelta = defineOptimizer({
  name: "adadelta",
  hyperparameters: { learningRate: 1, rho: 0.9, epsilon: 1e-6, weightDecay: 0 },
  belowOne: ["rho"],
  positive: ["epsilon"],
  dialects: {
    torch: {},
    optax: {},
    tfjs: { learningRate: 1e-3, rho: 0.95, epsilon: 1e-7 },
    paper: { rho: 0.95 },
  },
  state: () => ({ squares: zerosLike("parameter"), deltas: zerosLike("parameter") }),
  update({ parameter, gradient, state, lr }, { rho, epsilon, weightDecay }, _settings, dialect) {
    const g = gradient.add(parameter.mul(weightDecay));
    const squares = state.squares.mul(rho).add(g.square().mul(rho.complement()));
    const divisor = dialect === "tfjs" ? state.squares : squares;
    const ratio = state.deltas.add(epsilon).sqrt().div(divisor.add(epsilon).sqrt());
    const delta = ratio.mul(g);
    const deltas = state.deltas.mul(rho).add(delta.square().mul(rho.complement()));
    return { squares, deltas, parameter: parameter.sub(delta.mul(lr)) };
  },
});
