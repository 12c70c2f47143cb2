/** @file Prodigy: Mishchenko & Defazio 2024, arxiv.org/abs/2306.06101, algorithm 4. */

import { copyOfParameter, defineOptimizer, filledLike, zerosLike } from "../define.ts";
import { biasCorrection, scalar } from "../expression.ts";

/**
 * a = d * lr * (biasCorrection ? sqrt(1 - beta2^t) / (1 - beta1^t) : 1)
 * m = beta1 m + (1 - beta1) d g,   v = beta2 v + (1 - beta2) d^2 g^2
 * s = beta3 s + d / d0 * a * g     (with safeguardWarmup d / d0 * d * g)
 * r = beta3 r + d / d0 * a * <g, p0 - p>      over all tensors together
 * d = max(d, growth * r / |s|_1)              over all tensors together
 * p = (1 - a * weightDecay) p - a * m / (sqrt(v) + d * epsilon)
 *
 * p0 is where the parameter began, beta3 the root of beta2; a keeps the d from before, as in the
 * authors' code. d estimates the distance to the solution, so that the rate, 1, seldom needs
 * tuning, and a schedule multiplies it. A range test of Prodigy tells little: d follows the rate.
 * Hyperparameters: learningRate 1, beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0 (decoupled),
 * initialD 1e-6, growth 1 (the authors' d_coef), biasCorrection 0 (or 1; advised with warm-up),
 * safeguardWarmup 0 (or 1).
 */
export const prodigy = defineOptimizer({
  name: "prodigy",
  hyperparameters: {
    learningRate: 1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    initialD: 1e-6,
    growth: 1,
    biasCorrection: 0,
    safeguardWarmup: 0,
  },
  belowOne: ["beta1", "beta2"],
  positive: ["epsilon", "initialD"],
  flags: ["biasCorrection", "safeguardWarmup"],
  dialects: { paper: {}, optax: { biasCorrection: 1 } },
  state: ({ initialD }) => ({
    m: zerosLike("parameter"),
    v: zerosLike("parameter"),
    s: zerosLike("parameter"),
    p0: copyOfParameter(),
    d: filledLike("global", initialD),
    r: zerosLike("global"),
  }),
  update(
    { parameter, gradient, state, scalarState, lr, t },
    { learningRate, beta1, beta2, epsilon, weightDecay, initialD, growth },
    settings,
  ) {
    const { d, r } = scalarState;
    const corrected =
      settings.biasCorrection === 1
        ? biasCorrection(beta2, t).sqrt().div(biasCorrection(beta1, t))
        : scalar(1);
    // What is summed over all tensors takes the rate without a tensor's own scale.
    const rate = d.mul(learningRate.mul(corrected));
    const beta3 = beta2.sqrt();
    const weight = d.div(initialD).mul(settings.safeguardWarmup === 1 ? d : rate);
    const m = state.m.mul(beta1).add(gradient.mul(d.mul(beta1.complement())));
    const v = state.v.mul(beta2).add(gradient.square().mul(d.mul(d).mul(beta2.complement())));
    const s = state.s.mul(beta3).add(gradient.mul(weight));
    const distance = gradient.mul(state.p0.sub(parameter)).sum("all");
    const nextR = r.mul(beta3).add(d.div(initialD).mul(rate).mul(distance));
    const size = s.abs().sum("all");
    const estimate = growth.mul(nextR).div(size.positiveOr(1));
    const nextD = d.max(estimate);
    const own = d.mul(lr.mul(corrected));
    const step = m.div(v.sqrt().add(nextD.mul(epsilon))).mul(own);
    const decayed = parameter.mul(own.mul(weightDecay).complement());
    return { m, v, s, d: nextD, r: nextR, parameter: decayed.sub(step) };
  },
});
