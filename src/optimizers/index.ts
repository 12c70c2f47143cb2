/** @file The optimizers, by function and by name. */

import { ArgumentError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { optimizerNames } from "./names.ts";
import { createOwnOptimizer, isOwnOptimizer, ownFlags } from "./own.ts";
import { adadelta } from "./rules/adadelta.ts";
import { adafactor } from "./rules/adafactor.ts";
import { adagrad } from "./rules/adagrad.ts";
import { adam } from "./rules/adam.ts";
import { adamax } from "./rules/adamax.ts";
import { adamw } from "./rules/adamw.ts";
import { lamb } from "./rules/lamb.ts";
import { lars } from "./rules/lars.ts";
import { lion } from "./rules/lion.ts";
import { lookahead } from "./rules/lookahead.ts";
import { muon } from "./rules/muon.ts";
import { nadam } from "./rules/nadam.ts";
import { prodigy } from "./rules/prodigy.ts";
import { radam } from "./rules/radam.ts";
import { rmsprop } from "./rules/rmsprop.ts";
import { sam } from "./rules/sam.ts";
import { scheduleFreeAdamw } from "./rules/schedule-free-adamw.ts";
import { scheduleFreeSgd } from "./rules/schedule-free-sgd.ts";
import { sgd } from "./rules/sgd.ts";
import type { Dialect, Optimizer, OptimizerFactory } from "./types.ts";

export { type Accumulating, accumulate } from "./accumulate.ts";
export { clipByValue } from "./clip.ts";
export * from "./define.ts";
export * from "./expression.ts";
export {
  holdOptimizer,
  isOwnOptimizer,
  type OwnOptimizer,
  ownOptimizer,
  registerOptimizer,
} from "./own.ts";
export * from "./rewrite.ts";
export { type LookaheadOptions, lookahead } from "./rules/lookahead.ts";
export { type SamOptions, sam } from "./rules/sam.ts";
export * from "./scalars.ts";
export * from "./types.ts";
export * from "./weight-average.ts";
export {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  lamb,
  lars,
  lion,
  muon,
  nadam,
  prodigy,
  radam,
  rmsprop,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
};

const FACTORIES: readonly OptimizerFactory[] = [
  sgd,
  adagrad,
  adadelta,
  rmsprop,
  adam,
  adamax,
  adamw,
  nadam,
  radam,
  lion,
  lars,
  lamb,
  adafactor,
  prodigy,
  scheduleFreeSgd,
  scheduleFreeAdamw,
  muon,
];

export { optimizerNames };

type Settings = Readonly<Record<string, number>>;

/** By what stands before the hyphen; their hyperparameters by the names that they have in records. */
const WRAPPERS: Readonly<
  Record<string, { own: readonly string[]; wrap(inner: Optimizer, given: Settings): Optimizer }>
> = {
  lookahead: {
    own: ["lookaheadK", "lookaheadAlpha"],
    wrap: (inner, { lookaheadK, lookaheadAlpha }) =>
      lookahead(inner, {
        ...(lookaheadK !== undefined && { k: lookaheadK }),
        ...(lookaheadAlpha !== undefined && { alpha: lookaheadAlpha }),
      }),
  },
  sam: {
    own: ["samRho"],
    wrap: (inner, { samRho }) => sam(inner, samRho === undefined ? {} : { rho: samRho }),
  },
};

/** What a name may begin with, and a hyphen: "sam-sgd" is sam(sgd()). */
export const wrapperNames: readonly string[] = Object.keys(WRAPPERS);

/** Hyperparameters of the optimizer of that name that are 0 (off) or 1 (on). */
export function optimizerFlags(name: string): readonly string[] {
  const factory = FACTORIES.find((candidate) => candidate.optimizerName === name);
  if (factory) return factory.flags;
  if (isOwnOptimizer(name)) return ownFlags(name);
  const wrapper = wrapperNames.find((candidate) => name.startsWith(`${candidate}-`));
  return wrapper === undefined ? [] : optimizerFlags(name.slice(wrapper.length + 1));
}

/**
 * The optimizer of that name, with the defaults of its file for what is not given.
 * @throws ArgumentError for an unknown name (with the nearest known one), an unknown
 *   hyperparameter or dialect, or a value that is negative, not finite or outside its domain
 */
export function createOptimizer(
  name: string,
  hyperparameters: Settings = {},
  options: { readonly dialect?: Dialect | undefined } = {},
): Optimizer {
  const factory = FACTORIES.find((candidate) => candidate.optimizerName === name);
  if (factory) return factory(hyperparameters, options);
  const own = createOwnOptimizer(name, hyperparameters, options);
  if (own) return own;
  const found = Object.entries(WRAPPERS).find(([candidate]) => name.startsWith(`${candidate}-`));
  if (found) {
    const [wrapper, { own, wrap }] = found;
    const inner = Object.entries(hyperparameters).filter(([key]) => !own.includes(key));
    const innerName = name.slice(wrapper.length + 1);
    return wrap(createOptimizer(innerName, Object.fromEntries(inner), options), hyperparameters);
  }
  throw new ArgumentError(
    `no optimizer "${name}"${didYouMean(name, optimizerNames)} ` +
      `Known: ${optimizerNames.join(", ")}; in front of each may stand ` +
      wrapperNames.map((wrapperName) => `${wrapperName}-`).join(" or "),
  );
}

/** The optimizer that a record or a task describes. @throws ArgumentError as createOptimizer */
export const optimizerOfSpec = (spec: {
  readonly name: string;
  readonly hyperparameters: Settings;
  readonly dialect?: Dialect | undefined;
}): Optimizer => createOptimizer(spec.name, spec.hyperparameters, { dialect: spec.dialect });
