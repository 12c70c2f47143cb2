/** @file The optimizers, by function and by name. */

import { closest } from "fastest-levenshtein";
import { ArgumentError } from "../core/errors.ts";
import { adadelta } from "./adadelta.ts";
import { adagrad } from "./adagrad.ts";
import { adam } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { adamw } from "./adamw.ts";
import { lamb } from "./lamb.ts";
import { lars } from "./lars.ts";
import { lion } from "./lion.ts";
import { nadam } from "./nadam.ts";
import { radam } from "./radam.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";
import type { Optimizer, OptimizerFactory } from "./types.ts";

export { clipByValue } from "./clip.ts";
export * from "./define.ts";
export * from "./expression.ts";
export * from "./scalars.ts";
export * from "./types.ts";
export { adadelta, adagrad, adam, adamax, adamw, lamb, lars, lion, nadam, radam, rmsprop, sgd };

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
];

/** Names that createOptimizer and the command line know. */
export const optimizerNames: readonly string[] = FACTORIES.map((factory) => factory.optimizerName);

/**
 * The optimizer of that name, with the defaults of its file for what is not given.
 * @throws ArgumentError for an unknown name (with the nearest known one), an unknown
 *   hyperparameter, or a value that is negative, not finite or outside its domain
 */
export function createOptimizer(
  name: string,
  hyperparameters: Readonly<Record<string, number>> = {},
): Optimizer {
  const factory = FACTORIES.find((candidate) => candidate.optimizerName === name);
  if (!factory)
    throw new ArgumentError(
      `no optimizer "${name}"; did you mean "${closest(name, optimizerNames as string[])}"? ` +
        `Known: ${optimizerNames.join(", ")}`,
    );
  return factory(hyperparameters);
}
