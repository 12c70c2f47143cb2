/** @file defineOptimizer: from the definition in an optimizer's file to the factory that users call. */

import { closest } from "fastest-levenshtein";
import { checkNonNegative } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { Scalar, Vector } from "./expression.ts";
import type { Optimizer, OptimizerFactory, OptimizerState, StateShape } from "./types.ts";

/** A state's declaration, without its name. */
export interface StateDeclaration {
  readonly shape: StateShape;
  readonly initial: number;
}

/** State of the given shape that begins at zero. */
export const zerosLike = (shape: StateShape): StateDeclaration => ({ shape, initial: 0 });

/** State of the given shape that begins at `initial`. */
export const filledLike = (shape: StateShape, initial: number): StateDeclaration => ({
  shape,
  initial,
});

export interface UpdateInputs {
  readonly parameter: Vector;
  readonly gradient: Vector;
  /** The declared states, by name. */
  readonly state: Readonly<Record<string, Vector>>;
  /** The learning rate of this update, times the tensor's own learning-rate scale. */
  readonly lr: Scalar;
  /** The update's number as the papers count, from 1: `update + 1`. */
  readonly t: Scalar;
  /** 1 for a weight, 0 for biases and the gammas and betas of norms. */
  readonly isWeight: Scalar;
}

export interface OptimizerDefinition<Name extends string> {
  readonly name: string;
  /** Defaults, by name. `learningRate` must be among them. */
  readonly hyperparameters: Readonly<Record<Name, number>>;
  /** Those that must be below 1: decay rates of exponential means. */
  readonly belowOne?: readonly NoInfer<Name>[];
  /** Those that must be above 0 in float32: what keeps 0 / 0 from the padding of blocked layouts. */
  readonly positive?: readonly NoInfer<Name>[];
  /** Those that are 0 or 1, and choose between updates; a schedule cannot change them. */
  readonly flags?: readonly NoInfer<Name>[];
  /** Rules between hyperparameters; throws ArgumentError. */
  check?(settings: Readonly<Record<Name, number>>): void;
  /** States by name; may depend on the settings, so that what is unused is not allocated. */
  state(settings: Readonly<Record<Name, number>>): Readonly<Record<string, StateDeclaration>>;
  /**
   * The update, as new values of "parameter" and the states. Hyperparameters come as scalars, as
   * any of them may follow a schedule; `weightDecay` comes times the tensor's own decay scale.
   * `settings` are the numbers given at creation, for choices of structure alone.
   */
  update(
    inputs: UpdateInputs,
    hyperparameters: Readonly<Record<Name, Scalar>>,
    settings: Readonly<Record<Name, number>>,
  ): Readonly<Record<string, Vector>>;
  readonly evaluationWeights?: string;
  readonly gradientEvaluations?: 1 | 2;
}

/**
 * Makes an optimizer from its update rule. See docs/adding-an-optimizer.md.
 * @throws ArgumentError (from the factory) for an unknown hyperparameter or one outside its domain
 */
export function defineOptimizer<Name extends string>(
  definition: OptimizerDefinition<Name>,
): OptimizerFactory<Name> {
  const { name, hyperparameters: defaults } = definition;
  const create = (values: Partial<Readonly<Record<Name, number>>> = {}): Optimizer => {
    const settings = checkedSettings(definition, values);
    const state = Object.entries(definition.state(settings)).map(
      ([stateName, declaration]): OptimizerState => ({ name: stateName, ...declaration }),
    );
    return {
      name,
      hyperparameters: settings,
      state,
      expression: trace(definition, settings, state),
      evaluationWeights: definition.evaluationWeights ?? null,
      gradientEvaluations: definition.gradientEvaluations ?? 1,
    };
  };
  return Object.assign(create, { optimizerName: name, defaults });
}

function checkedSettings<Name extends string>(
  { name, hyperparameters: defaults, belowOne, positive, flags, check }: OptimizerDefinition<Name>,
  values: Partial<Readonly<Record<Name, number>>>,
): Readonly<Record<Name, number>> {
  const names = Object.keys(defaults) as Name[];
  const given = Object.entries(values).filter((entry) => entry[1] !== undefined) as [
    Name,
    number,
  ][];
  for (const [key, value] of given) {
    if (!names.includes(key))
      throw new ArgumentError(
        `${name}: no hyperparameter "${key}"; did you mean "${closest(key, names)}"? ` +
          `It has ${names.join(", ")}`,
      );
    checkNonNegative(name, key, value);
    if (belowOne?.includes(key) && value >= 1)
      throw new ArgumentError(`${name}: ${key} must be in [0, 1); got ${value}`);
    if (positive?.includes(key) && Math.fround(value) === 0)
      throw new ArgumentError(
        `${name}: ${key} must be above 0 in float32, as it keeps 0 / 0 out; got ${value}`,
      );
    if (flags?.includes(key) && value !== 0 && value !== 1)
      throw new ArgumentError(`${name}: ${key} must be 0 (off) or 1 (on); got ${value}`);
  }
  const settings = { ...defaults, ...Object.fromEntries(given) } as Record<Name, number>;
  check?.(settings);
  return Object.freeze(settings);
}

function trace<Name extends string>(
  { name, hyperparameters: defaults, update }: OptimizerDefinition<Name>,
  settings: Readonly<Record<Name, number>>,
  state: readonly OptimizerState[],
): Readonly<Record<string, Vector>> {
  const source = (of: string) => new Vector({ kind: "source", name: of });
  const hyperparameter = (of: string) => new Scalar({ kind: "hyperparameter", name: of });
  const scaled = (of: string, scale: "learningRateScale" | "weightDecayScale") =>
    hyperparameter(of).mul(new Scalar({ kind: "segment", name: scale }));
  const hyperparameters = Object.fromEntries(
    Object.keys(defaults).map((key) => [
      key,
      key === "weightDecay" ? scaled(key, "weightDecayScale") : hyperparameter(key),
    ]),
  ) as Record<Name, Scalar>;

  const result = update(
    {
      parameter: source("parameter"),
      gradient: source("gradient"),
      state: Object.fromEntries(state.map((s) => [s.name, source(s.name)])),
      lr: scaled("learningRate", "learningRateScale"),
      t: new Scalar({ kind: "count" }),
      isWeight: new Scalar({ kind: "segment", name: "isWeight" }),
    },
    hyperparameters,
    settings,
  );
  const targets = ["parameter", ...state.map((s) => s.name)];
  for (const target of Object.keys(result))
    if (!targets.includes(target))
      throw new ArgumentError(
        `optimizer "${name}": its update returns "${target}"; it may return ${targets.join(", ")}`,
      );
  if (!result.parameter)
    throw new ArgumentError(`optimizer "${name}": its update must return a new "parameter"`);
  return result;
}
