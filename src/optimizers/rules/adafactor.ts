/** @file Adafactor: Shazeer & Stern 2018, arxiv.org/abs/1804.04235, algorithms 4 and 5. */

import { defineOptimizer, type UpdateInputs, zerosLike } from "../define.ts";
import { type Scalar, scalar, type Vector } from "../expression.ts";

// Above any product of what is really there, of which both factors are 1e-30 at least relative to
// their mean; it keeps 0 / 0 from the padding of blocked layouts.
const LEAST_SQUARE = 1e-36;

/**
 * beta = 1 - t^-decayPower
 * matrices: R = beta R + (1 - beta) rowMean(g^2 + epsilon), C likewise of columns,
 *           v = R C / mean(R)
 * vectors:  v = beta v + (1 - beta) (g^2 + epsilon)
 * u = g / sqrt(v);  u = u / max(1, rms(u) / clipThreshold)
 * rate = (relativeStep ? min(lr, 1 / sqrt(t)) : lr) * (scaleParameter ? max(parameterEpsilon, rms(p)) : 1)
 * p = (1 - lr * weightDecay) p - rate * u
 *
 * A state of rows and columns instead of one for each element. A convolution's weight (O,I,kh,kw) is
 * the matrix (O, I kh kw); torch.optim.Adafactor factors its last two dimensions, kh and kw, alone.
 * Decay is decoupled, as PyTorch's.
 * Hyperparameters: learningRate 1e-2, decayPower 0.8, clipThreshold 1, epsilon 1e-30,
 * parameterEpsilon 1e-3, weightDecay 0, relativeStep 1 (or 0), scaleParameter 1 (or 0).
 */
export const adafactor = defineOptimizer({
  name: "adafactor",
  hyperparameters: {
    learningRate: 1e-2,
    decayPower: 0.8,
    clipThreshold: 1,
    epsilon: 1e-30,
    parameterEpsilon: 1e-3,
    weightDecay: 0,
    relativeStep: 1,
    scaleParameter: 1,
  },
  positive: ["clipThreshold", "epsilon"],
  flags: ["relativeStep", "scaleParameter"],
  state: () => ({
    rows: { ...zerosLike("row"), only: "matrices" },
    columns: { ...zerosLike("column"), only: "matrices" },
    v: { ...zerosLike("parameter"), only: "rest" },
  }),
  update(inputs, hyperparameters, settings) {
    const { gradient, state, rows: rowCount, t } = inputs;
    const beta = betaOf(t, hyperparameters.decayPower);
    const squares = gradient.square().add(hyperparameters.epsilon);
    const rows = state.rows.mul(beta).add(squares.matrix("rowMean").mul(beta.complement()));
    const columns = state.columns
      .mul(beta)
      .add(squares.matrix("columnMean").mul(beta.complement()));
    const mean = rows.sum("tensor").div(rowCount);
    const v = rows.div(mean).mul(columns).max(LEAST_SQUARE);
    return { rows, columns, parameter: moved(inputs, v, hyperparameters, settings) };
  },
  rest: {
    matrices: "weights",
    update(inputs, hyperparameters, settings) {
      const { gradient, state, t } = inputs;
      const beta = betaOf(t, hyperparameters.decayPower);
      const squares = gradient.square().add(hyperparameters.epsilon);
      const v = state.v.mul(beta).add(squares.mul(beta.complement()));
      return { v, parameter: moved(inputs, v, hyperparameters, settings) };
    },
  },
});

/** 0 at the first update, so that means need no bias correction. */
const betaOf = (t: Scalar, power: Scalar) => scalar(1).div(t.pow(power)).complement();

function moved(
  { parameter, gradient, lr, t, rows, columns }: UpdateInputs,
  v: Vector,
  {
    clipThreshold,
    parameterEpsilon,
    weightDecay,
  }: Readonly<Record<"clipThreshold" | "parameterEpsilon" | "weightDecay", Scalar>>,
  { relativeStep, scaleParameter }: Readonly<Record<"relativeStep" | "scaleParameter", number>>,
): Vector {
  const elements = rows.mul(columns);
  const rms = (of: Vector) => of.square().sum("tensor").div(elements).sqrt();
  const direction = gradient.div(v.sqrt());
  const clipped = rms(direction).div(clipThreshold).max(1);
  const capped = relativeStep === 1 ? lr.min(t.pow(-0.5)) : lr;
  const rate = scaleParameter === 1 ? capped.mul(rms(parameter).max(parameterEpsilon)) : capped;
  const decayed = parameter.mul(lr.mul(weightDecay).complement());
  return decayed.sub(direction.mul(rate.div(clipped)));
}
