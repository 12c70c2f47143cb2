/** @file NAdam: Dozat 2016, "Incorporating Nesterov momentum into Adam" (ICLR workshop), algorithm 2. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection, productOverUpdates, type Scalar, scalar } from "../expression.ts";

/**
 * mu(t) = beta1 * (1 - 0.96^(t * momentumDecay) / 2);  P(t) = mu(1) * ... * mu(t)
 * g = gradient + weightDecay * parameter        (coupled; decoupled: parameter *= 1 - lr * weightDecay)
 * m = beta1 * m + (1 - beta1) * g
 * v = beta2 * v + (1 - beta2) * g^2
 * parameter -= lr * (mu(t+1) / (1 - P(t+1)) * m + (1 - mu(t)) / (1 - P(t)) * g)
 *              / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * As torch.optim.NAdam of 2.x. PyTorch 1.13 multiplied P by one mu too many and is no oracle.
 * In the dialect optax mu is beta1, at every t.
 * P is computed from the update count, so that no state holds it: where beta1 follows a schedule,
 * P takes this update's beta1 throughout, where PyTorch's has each update's own.
 * Hyperparameters: learningRate 2e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0,
 * momentumDecay 4e-3, decoupled 0 (or 1: weight decay as in AdamW).
 */
export const nadam = defineOptimizer({
  name: "nadam",
  hyperparameters: {
    learningRate: 2e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    momentumDecay: 4e-3,
    decoupled: 0,
  },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  flags: ["decoupled"],
  dialects: { torch: {}, optax: {}, paper: {} },
  state: () => ({ m: zerosLike("parameter"), v: zerosLike("parameter") }),
  update(
    { parameter, gradient, state, lr, t },
    { beta1, beta2, epsilon, weightDecay, momentumDecay },
    { decoupled },
    dialect,
  ) {
    const muAt = (count: Scalar) =>
      dialect === "optax"
        ? beta1
        : beta1.mul(scalar(0.96).pow(count.mul(momentumDecay)).mul(0.5).complement());
    const next = muAt(t.add(1));
    const product = productOverUpdates(muAt(t));
    const [p, g] =
      decoupled === 1
        ? [parameter.mul(lr.mul(weightDecay).complement()), gradient]
        : [parameter, gradient.add(parameter.mul(weightDecay))];
    const m = state.m.mul(beta1).add(g.mul(beta1.complement()));
    const v = state.v.mul(beta2).add(g.square().mul(beta2.complement()));
    const ahead = m.mul(next.div(product.mul(next).complement()));
    const now = g.mul(muAt(t).complement().div(product.complement()));
    const denominator = v.sqrt().div(biasCorrection(beta2, t).sqrt()).add(epsilon);
    return { m, v, parameter: p.sub(ahead.add(now).div(denominator).mul(lr)) };
  },
});
