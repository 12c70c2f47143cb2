/** @file Stochastic gradient descent, with momentum after Polyak 1964 or Nesterov (Sutskever et al. 2013). */

import { ArgumentError } from "../../core/errors.ts";
import { defineOptimizer, zerosLike } from "../define.ts";

/**
 * g = gradient + weightDecay * parameter
 * b = momentum * b + (1 - dampening) * g, but b = g at the first update
 * parameter -= lr * (nesterov ? g + momentum * b : b)
 *
 * As torch.optim.SGD (2.x, whose default rate is 1e-3). With momentum 0 there is no b.
 * Hyperparameters: learningRate 1e-3, momentum 0, dampening 0, weightDecay 0, nesterov 0 (or 1).
 * @throws ArgumentError if nesterov is 1 without momentum, or with dampening
 */
export const sgd = defineOptimizer({
  name: "sgd",
  hyperparameters: { learningRate: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: 0 },
  flags: ["nesterov"],
  dialects: { torch: {}, optax: {}, tfjs: {} },
  check({ momentum, dampening, nesterov }) {
    if (nesterov === 1 && (momentum === 0 || dampening !== 0))
      throw new ArgumentError(
        "sgd: nesterov needs momentum above 0 and dampening 0; " +
          `got momentum ${momentum}, dampening ${dampening}`,
      );
  },
  state: ({ momentum }) => ({ ...(momentum > 0 && { momentum: zerosLike("parameter") }) }),
  update(
    { parameter, gradient, state, lr, t },
    { momentum, dampening, weightDecay },
    { nesterov },
  ) {
    const g = gradient.add(parameter.mul(weightDecay));
    // t - 1 is 0 at the first update alone: b = momentum * 0 + 1 * g.
    const share = dampening.mul(t.sub(1).min(1)).complement();
    const b = state.momentum?.mul(momentum).add(g.mul(share));
    const step = b ? (nesterov === 1 ? g.add(b.mul(momentum)) : b) : g;
    return { ...(b && { momentum: b }), parameter: parameter.sub(step.mul(lr)) };
  },
});
