/** @file What an optimizer is, to the compiler: plain data around a traced expression. */

import type { Vector } from "./expression.ts";

export type AttributeValue = number | boolean | string | readonly number[];

/**
 * - parameter: one value for each element of the parameter
 * - row, column: one for each row or column of the parameter as an (out, in) matrix
 * - tensor: one value for each parameter tensor
 * - global: one value in all
 */
export type StateShape = "parameter" | "row" | "column" | "tensor" | "global";

export interface OptimizerState {
  /** "m": its tensors are called "features.0.weight:m". */
  readonly name: string;
  readonly shape: StateShape;
  /** Value of every element before the first update. */
  readonly initial: number;
}

/** An optimizer with its hyperparameters: what `fit` and the compiler take. */
export interface Optimizer {
  /** "adam" */
  readonly name: string;
  /** By name, `learningRate` among them; flags are 0 or 1. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  readonly state: readonly OptimizerState[];
  /** The new value of "parameter" and of each state that changes, by name. */
  readonly expression: Readonly<Record<string, Vector>>;
  /** State to evaluate with instead of the parameter (Schedule-Free, Lookahead, averages); else null. */
  readonly evaluationWeights: string | null;
  /** 2 asks for a second gradient, at perturbed weights (SAM). */
  readonly gradientEvaluations: 1 | 2;
}

/** Makes an Optimizer; hyperparameters that are not given keep their defaults. */
export interface OptimizerFactory<Name extends string = string> {
  /** @throws ArgumentError for an unknown hyperparameter, or a value outside its domain */
  (hyperparameters?: Partial<Readonly<Record<Name, number>>>): Optimizer;
  readonly optimizerName: string;
  readonly defaults: Readonly<Record<Name, number>>;
}
