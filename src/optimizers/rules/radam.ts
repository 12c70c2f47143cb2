/** @file RAdam: Liu et al. 2020, arxiv.org/abs/1908.03265, algorithm 2. */

import { defineOptimizer, zerosLike } from "../define.ts";
import { biasCorrection, fill, isPositive } from "../expression.ts";

/**
 * g = gradient + weightDecay * parameter
 * m = beta1 * m + (1 - beta1) * g
 * v = beta2 * v + (1 - beta2) * g^2
 * R = 2 / (1 - beta2) - 1;  r = R - 2 * t * beta2^t / (1 - beta2^t)
 * rectifier = sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r))
 * adaptive = r > 5 ? rectifier * sqrt(1 - beta2^t) / (sqrt(v) + epsilon) : 1
 * parameter -= lr / (1 - beta1^t) * m * adaptive
 *
 * As torch.optim.RAdam: epsilon beside the uncorrected root, the threshold 5. The dialect paper has the
 * threshold 4, the dialect optax epsilon beside the corrected root sqrt(v / (1 - beta2^t)).
 * Until r passes 5 (five updates, at beta2 0.999) a step is as long as the gradient is: what is
 * right for Adam may be too much then.
 * Hyperparameters: learningRate 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0.
 */
export const radam = defineOptimizer({
  name: "radam",
  hyperparameters: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon"],
  dialects: { torch: {}, optax: {}, paper: {} },
  state: () => ({ m: zerosLike("parameter"), v: zerosLike("parameter") }),
  update(
    { parameter, gradient, state, lr, t },
    { beta1, beta2, epsilon, weightDecay },
    _settings,
    dialect,
  ) {
    const g = gradient.add(parameter.mul(weightDecay));
    const m = state.m.mul(beta1).add(g.mul(beta1.complement()));
    const v = state.v.mul(beta2).add(g.square().mul(beta2.complement()));
    const limit = beta2.complement().pow(-1).mul(2).sub(1);
    const length = limit.sub(t.mul(2).mul(beta2.pow(t)).div(biasCorrection(beta2, t)));
    const threshold = dialect === "paper" ? 4 : 5;
    const rectified = isPositive(length.sub(threshold));
    // Below the threshold the rectifier counts for nothing, but must be a number.
    const [r, R] = [length.max(threshold), limit.max(5)];
    const above = r.sub(4).mul(r.sub(2)).mul(R);
    const rectifier = above.div(R.sub(4).mul(R.sub(2)).mul(r)).sqrt();
    const scale = rectified.mul(rectifier);
    const correction = biasCorrection(beta2, t).sqrt();
    const [numerator, below] =
      dialect === "optax"
        ? [scale, v.sqrt().div(correction).add(epsilon)]
        : [scale.mul(correction), v.sqrt().add(epsilon)];
    const adaptive = fill(numerator).div(below).add(rectified.complement());
    const step = m.mul(adaptive).mul(lr.div(biasCorrection(beta1, t)));
    return { m, v, parameter: parameter.sub(step) };
  },
});
