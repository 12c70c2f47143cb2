/** @file The optimizers, by function and by name. */

import { closest } from "fastest-levenshtein";
import { ArgumentError } from "../core/errors.ts";
import { adadelta } from "./adadelta.ts";
import { adafactor } from "./adafactor.ts";
import { adagrad } from "./adagrad.ts";
import { adam } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { adamw } from "./adamw.ts";
import { lamb } from "./lamb.ts";
import { lars } from "./lars.ts";
import { lion } from "./lion.ts";
import { lookahead } from "./lookahead.ts";
import { muon } from "./muon.ts";
import { nadam } from "./nadam.ts";
import { optimizerNames } from "./names.ts";
import { prodigy } from "./prodigy.ts";
import { radam } from "./radam.ts";
import { rmsprop } from "./rmsprop.ts";
import { sam } from "./sam.ts";
import { scheduleFreeAdamw } from "./schedule-free-adamw.ts";
import { scheduleFreeSgd } from "./schedule-free-sgd.ts";
import { sgd } from "./sgd.ts";
import type { Dialect, Optimizer, OptimizerFactory } from "./types.ts";

export { type Accumulating, accumulate } from "./accumulate.ts";
export { clipByValue } from "./clip.ts";
export * from "./define.ts";
export * from "./expression.ts";
export { type LookaheadOptions, lookahead } from "./lookahead.ts";
export * from "./rewrite.ts";
export { type SamOptions, sam } from "./sam.ts";
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
  const wrapper = wrapperNames.find((candidate) => name.startsWith(`${candidate}-`));
  if (wrapper) {
    const { own, wrap } = WRAPPERS[wrapper]!;
    const inner = Object.entries(hyperparameters).filter(([key]) => !own.includes(key));
    const innerName = name.slice(wrapper.length + 1);
    return wrap(createOptimizer(innerName, Object.fromEntries(inner), options), hyperparameters);
  }
  throw new ArgumentError(
    `no optimizer "${name}"; did you mean "${closest(name, optimizerNames as string[])}"? ` +
      `Known: ${optimizerNames.join(", ")}; in front of each may stand ` +
      wrapperNames.map((wrapperName) => `${wrapperName}-`).join(" or "),
  );
}
