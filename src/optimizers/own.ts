/** @file Optimizers of one's own, known in this process by a name. */

import { ArgumentError } from "../core/errors.ts";
import { heldParts } from "../core/held-parts.ts";
import { didYouMean } from "../core/nearest-name.ts";
import type { Dialect, Optimizer, OptimizerFactory } from "./types.ts";

/** What defineOptimizer makes; or one optimizer, of which the rate alone may then be another. */
export type OwnOptimizer = OptimizerFactory | Optimizer;

const OWN = heldParts<OwnOptimizer>();

/** Makes an optimizer known by a name, under which `createOptimizer` finds it, records name it and arms ask for it. */
export const registerOptimizer = (name: string, optimizer: OwnOptimizer): void =>
  OWN.keep(name, optimizer);

/** The same for as long as a study needs it: what is returned makes the name unknown again. */
export const holdOptimizer = (name: string, optimizer: OwnOptimizer): (() => void) =>
  OWN.hold(name, optimizer);

/** What a name stands for; undefined where it is none of one's own. */
export const ownOptimizer = (name: string): OwnOptimizer | undefined => OWN.get(name);

export const isOwnOptimizer = (name: string): boolean => OWN.has(name);

export function ownFlags(name: string): readonly string[] {
  const own = OWN.get(name);
  return typeof own === "function" ? own.flags : [];
}

/**
 * null where none is known by the name.
 * @throws ArgumentError as its factory does; of one that is no factory, for any hyperparameter but its rate that is
 *   not as it is
 */
export function createOwnOptimizer(
  name: string,
  hyperparameters: Readonly<Record<string, number>>,
  options: { readonly dialect?: Dialect | undefined },
): Optimizer | null {
  const own = OWN.get(name);
  if (own === undefined) return null;
  if (typeof own === "function") return { ...own(hyperparameters, options), name };
  const known = Object.keys(own.hyperparameters);
  for (const [key, value] of Object.entries(hyperparameters)) {
    if (!known.includes(key))
      throw new ArgumentError(
        `${name}: no hyperparameter "${key}"${didYouMean(key, known)} It has ${known.join(", ")}`,
      );
    if (key !== "learningRate" && value !== own.hyperparameters[key])
      throw new ArgumentError(
        `${name}: ${key} is ${own.hyperparameters[key]}, as the optimizer was made with; got ${value}. Give what defineOptimizer makes, and not an optimizer, to have it set`,
      );
  }
  return { ...own, name, hyperparameters: { ...own.hyperparameters, ...hyperparameters } };
}
