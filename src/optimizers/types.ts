/** @file What an optimizer is, to the compiler: plain data around a traced expression. */

import type { Scalar, Vector } from "./expression.ts";

export type AttributeValue = number | boolean | string | readonly number[];

/**
 * - parameter: one value for each element of the parameter
 * - row, column: one for each row or column of the parameter as an (out, in) matrix
 * - tensor: one value for each parameter tensor
 * - global: one value in all
 */
export type StateShape = "parameter" | "row" | "column" | "tensor" | "global";

export interface OptimizerState {
  /** "m": its tensors are called "features.0.weight:m"; one in all "optimizer:m". */
  readonly name: string;
  readonly shape: StateShape;
  /** Value of every element before the first update; "parameter": a copy of the parameter. */
  readonly initial: number | "parameter";
  /** Kept only for tensors of one rule, where an optimizer has two; default: for all. */
  readonly only?: "matrices" | "rest";
}

/** Whose reading of a rule is followed, where they differ; docs/optimizers.md has the differences. */
export type Dialect = "torch" | "optax" | "tfjs" | "paper";

/** New values of "parameter" and of each state that changes, by name: of scalar states, scalars. */
export type UpdateExpression = Readonly<Record<string, Vector | Scalar>>;

/** An optimizer with its hyperparameters: what `fit` and the compiler take. */
export interface Optimizer {
  /** "adam" */
  readonly name: string;
  /** Whose reading of the rule it follows; null where there is one alone. */
  readonly dialect: Dialect | null;
  /** By name; flags are 0 or 1. */
  readonly hyperparameters: { readonly learningRate: number; readonly [name: string]: number };
  readonly state: readonly OptimizerState[];
  readonly expression: UpdateExpression;
  /**
   * Where the rule above is for matrices alone, the rule of all other tensors. Matrices are the
   * weights, or those of hidden layers: neither the network's first weight nor its last.
   */
  readonly rest: {
    readonly matrices: "weights" | "hidden";
    readonly expression: UpdateExpression;
  } | null;
  /** State to evaluate with instead of the parameter (Schedule-Free, Lookahead, averages); else null. */
  readonly evaluationWeights: string | null;
  /** 2 asks for a second gradient, at the weights that `perturbation` leaves (SAM). */
  readonly gradientEvaluations: 1 | 2;
  /** With two gradients: run between them, on the first. Else null. */
  readonly perturbation: UpdateExpression | null;
}

/** Makes an Optimizer; hyperparameters that are not given keep their defaults. */
export interface OptimizerFactory<Name extends string = string> {
  /** @throws ArgumentError for an unknown hyperparameter or dialect, or a value outside its domain */
  (
    hyperparameters?: Partial<Readonly<Record<Name, number>>>,
    options?: { readonly dialect?: Dialect | undefined },
  ): Optimizer;
  readonly optimizerName: string;
  readonly defaults: Readonly<Record<Name, number>>;
  /** The first is the default; empty where there is one reading alone. */
  readonly dialects: readonly Dialect[];
  /** Hyperparameters that are 0 (off) or 1 (on). */
  readonly flags: readonly Name[];
}
