/** @file defineOptimizer: from the definition in an optimizer's file to the factory that users call. */

import { checkNonNegative } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { Scalar, Vector } from "./expression.ts";
import { readsOneTensor } from "./scope.ts";
import type {
  Dialect,
  Optimizer,
  OptimizerFactory,
  OptimizerState,
  StateShape,
  UpdateExpression,
} from "./types.ts";

/** A state's declaration, without its name. */
export interface StateDeclaration<S extends StateShape = StateShape>
  extends Omit<OptimizerState, "name" | "shape"> {
  readonly shape: S;
}

/** States by name; one that the settings may leave out is optional. */
type StateDeclarations = Readonly<Record<string, StateDeclaration>>;

/** A T for each of the states that have such a shape. */
type Kept<States, S extends StateShape, T> = {
  readonly [K in keyof States as NonNullable<States[K]> extends StateDeclaration<S> ? K : never]: T;
};

/** State of the given shape that begins at zero. */
export const zerosLike = <S extends StateShape>(shape: S): StateDeclaration<S> => ({
  shape,
  initial: 0,
});

/** State of the given shape that begins at `initial`. */
export const filledLike = <S extends StateShape>(
  shape: S,
  initial: number,
): StateDeclaration<S> => ({
  shape,
  initial,
});

/** State that begins as a copy of the parameter. */
export const copyOfParameter = (): StateDeclaration<"parameter"> => ({
  shape: "parameter",
  initial: "parameter",
});

export interface UpdateInputs<States = unknown> {
  readonly parameter: Vector;
  readonly gradient: Vector;
  /** The declared states of a value for each element, row or column, by name. */
  readonly state: Kept<States, "parameter" | "row" | "column", Vector>;
  /** The declared states of one value a tensor or one in all, by name. */
  readonly scalarState: Kept<States, "tensor" | "global", Scalar>;
  /** The learning rate of this update, times the tensor's own learning-rate scale. */
  readonly lr: Scalar;
  /** The update's number as the papers count, from 1: `update + 1`. */
  readonly t: Scalar;
  /** 1 for a weight, 0 for biases and the gammas and betas of norms. */
  readonly isWeight: Scalar;
  /** Of the tensor as a matrix (out, in); a vector has one column. */
  readonly rows: Scalar;
  readonly columns: Scalar;
}

/**
 * A rule: new values of "parameter" and the states. Hyperparameters come as scalars, as any of them
 * may follow a schedule; `weightDecay` comes times the tensor's own decay scale. `settings` are the
 * numbers given at creation, for choices of structure alone, as is the dialect.
 */
type UpdateRule<Name extends string, States> = (
  inputs: UpdateInputs<States>,
  hyperparameters: Readonly<Record<Name, Scalar>>,
  settings: Readonly<Record<Name, number>>,
  dialect: Dialect | null,
) => UpdateExpression;

export interface OptimizerDefinition<
  Name extends string,
  States extends StateDeclarations = StateDeclarations,
> {
  readonly name: string;
  /** Defaults, by name. `learningRate` must be among them. */
  readonly hyperparameters: Readonly<Record<Name, number>>;
  /** Those that must be below 1: decay rates of exponential means. */
  readonly belowOne?: readonly NoInfer<Name>[];
  /** Those that must be above 0 in float32: what keeps 0 / 0 from the padding of blocked layouts. */
  readonly positive?: readonly NoInfer<Name>[];
  /** Those that are 0 or 1, and choose between updates; a schedule cannot change them. */
  readonly flags?: readonly NoInfer<Name>[];
  /** Whose reading of the rule it can follow, with defaults that differ; the first is the default. */
  readonly dialects?: Readonly<
    Partial<Record<Dialect, Partial<Readonly<Record<NoInfer<Name>, number>>>>>
  >;
  /** Rules between hyperparameters; throws ArgumentError. */
  check?(settings: Readonly<Record<Name, number>>): void;
  /** States by name; may depend on the settings, so that what is unused is not allocated. */
  state(settings: Readonly<Record<Name, number>>): States;
  readonly update: UpdateRule<Name, NoInfer<States>>;
  /** Where `update` is for matrices alone: which tensors those are, and the rule of all others. */
  readonly rest?: {
    readonly matrices: "weights" | "hidden";
    readonly update: UpdateRule<Name, NoInfer<States>>;
  };
  readonly evaluationWeights?: string;
}

/**
 * Makes an optimizer from its update rule. See docs/adding-an-optimizer.md.
 * @throws ArgumentError (from the factory) for an unknown hyperparameter or one outside its domain,
 *   or a dialect that the rule does not have
 */
export function defineOptimizer<Name extends string, States extends StateDeclarations>(
  definition: OptimizerDefinition<Name, States>,
): OptimizerFactory<Name> {
  const { name, hyperparameters: defaults } = definition;
  const dialects = Object.keys(definition.dialects ?? {}) as Dialect[];
  const create = (
    values: Partial<Readonly<Record<Name, number>>> = {},
    options: { readonly dialect?: Dialect | undefined } = {},
  ): Optimizer => {
    const { dialect = dialects[0] ?? null } = options;
    if (dialect !== null && !dialects.includes(dialect))
      throw new ArgumentError(
        `${name}: no dialect "${dialect}"; ` +
          (dialects.length > 0 ? `it has ${dialects.join(", ")}` : "it has one reading alone"),
      );
    const settings = checkedSettings(definition, values, dialect);
    const declared: StateDeclarations = definition.state(settings);
    const state = Object.entries(declared).map(
      ([stateName, declaration]): OptimizerState => ({ name: stateName, ...declaration }),
    );
    const trace = (update: UpdateRule<Name, States>) =>
      traced(definition, { update, settings, state, dialect });
    const { rest } = definition;
    return {
      name,
      dialect,
      // Every definition has a learning rate among its defaults.
      hyperparameters: settings as Readonly<Record<Name | "learningRate", number>>,
      state,
      expression: trace(definition.update),
      rest: rest ? { matrices: rest.matrices, expression: trace(rest.update) } : null,
      evaluationWeights: definition.evaluationWeights ?? null,
      gradientEvaluations: 1,
      perturbation: null,
    };
  };
  const { flags = [] } = definition;
  return Object.assign(create, { optimizerName: name, defaults, dialects, flags });
}

function checkedSettings<Name extends string>(
  definition: Omit<OptimizerDefinition<Name>, "update" | "rest" | "state">,
  values: Partial<Readonly<Record<Name, number>>>,
  dialect: Dialect | null,
): Readonly<Record<Name, number>> {
  const { name, hyperparameters: defaults, belowOne, positive, flags, check } = definition;
  const names = Object.keys(defaults) as Name[];
  const given = Object.entries(values).filter((entry) => entry[1] !== undefined) as [
    Name,
    number,
  ][];
  for (const [key, value] of given) {
    if (!names.includes(key))
      throw new ArgumentError(
        `${name}: no hyperparameter "${key}"${didYouMean(key, names)} ` +
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
  const settings = {
    ...defaults,
    ...(dialect && definition.dialects?.[dialect]),
    ...Object.fromEntries(given),
  } as Record<Name, number>;
  check?.(settings);
  return Object.freeze(settings);
}

const isScalarShape = (shape: StateShape) => shape === "tensor" || shape === "global";

function traced<Name extends string, States extends StateDeclarations>(
  { name, hyperparameters: defaults }: Pick<OptimizerDefinition<Name>, "name" | "hyperparameters">,
  options: {
    update: UpdateRule<Name, States>;
    settings: Readonly<Record<Name, number>>;
    state: readonly OptimizerState[];
    dialect: Dialect | null;
  },
): UpdateExpression {
  const { update, settings, state, dialect } = options;
  const source = (of: string) => new Vector({ kind: "source", name: of });
  const hyperparameter = (of: string) => new Scalar({ kind: "hyperparameter", name: of });
  const segment = (of: "isWeight" | "rows" | "columns") =>
    new Scalar({ kind: "segment", name: of });
  const scaled = (of: string, scale: "learningRateScale" | "weightDecayScale") =>
    hyperparameter(of).mul(new Scalar({ kind: "segment", name: scale }));
  const hyperparameters = Object.fromEntries(
    Object.keys(defaults).map((key) => [
      key,
      key === "weightDecay" ? scaled(key, "weightDecayScale") : hyperparameter(key),
    ]),
  ) as Record<Name, Scalar>;
  const scalars = state.filter(({ shape }) => isScalarShape(shape));
  const vectors = state.filter(({ shape }) => !isScalarShape(shape));

  const result = update(
    {
      parameter: source("parameter"),
      gradient: source("gradient"),
      // The type says of each declared state whether it is here.
      state: Object.fromEntries(
        vectors.map((of) => [of.name, source(of.name)]),
      ) as UpdateInputs<States>["state"],
      scalarState: Object.fromEntries(
        scalars.map((of) => [of.name, new Scalar({ kind: "state", name: of.name })]),
      ) as UpdateInputs<States>["scalarState"],
      lr: scaled("learningRate", "learningRateScale"),
      t: new Scalar({ kind: "count" }),
      isWeight: segment("isWeight"),
      rows: segment("rows"),
      columns: segment("columns"),
    },
    hyperparameters,
    settings,
    dialect,
  );
  checkResult(name, result, state);
  return result;
}

/** @throws ArgumentError where an update returns what it may not */
function checkResult(
  name: string,
  result: UpdateExpression,
  state: readonly OptimizerState[],
): void {
  const subject = `optimizer "${name}"`;
  const targets = ["parameter", ...state.map((s) => s.name)];
  for (const [target, value] of Object.entries(result)) {
    if (!targets.includes(target))
      throw new ArgumentError(
        `${subject}: its update returns "${target}"; it may return ${targets.join(", ")}`,
      );
    const shape = state.find((s) => s.name === target)?.shape ?? "parameter";
    if (value instanceof Scalar !== isScalarShape(shape))
      throw new ArgumentError(
        `${subject}: "${target}" has shape "${shape}"; its update must be a ` +
          `${isScalarShape(shape) ? "scalar" : "vector"}`,
      );
    if (shape === "global" && value instanceof Scalar && readsOneTensor(value, state))
      throw new ArgumentError(
        `${subject}: "${target}" is one value for all tensors, but its update depends on one tensor; ` +
          'use sum("all"), and hyperparameters.learningRate rather than lr',
      );
  }
  if (!(result.parameter instanceof Vector))
    throw new ArgumentError(`${subject}: its update must return a new "parameter"`);
}
