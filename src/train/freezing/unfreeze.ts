/**
 * @file Gradual unfreezing: from some epochs on, training begins earlier in the network. Each such stage
 * is a training step compiled anew; what has been trained goes on with the optimizer state that it has.
 */

import { trainedParameters } from "../../compile/index.ts";
import { checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import type { Unfreezing } from "../../record/index.ts";
import type { TrainingSetup } from "../options.ts";

type Frozen = Pick<TrainingSetup, "trainFrom" | "unfreeze">;

/** Those that have begun by an epoch, counted from 1. */
const begunBy = ({ unfreeze = [] }: Frozen, epoch: number): readonly Unfreezing[] =>
  unfreeze.filter((each) => each.epoch <= epoch);

/** The module from which an epoch trains; undefined: all. */
export const trainFromIn = (setup: Frozen, epoch: number): string | undefined =>
  begunBy(setup, epoch).at(-1)?.from ?? setup.trainFrom;

/** Whether that epoch trains what the one before it did not. */
export const unfreezesAt = ({ unfreeze = [] }: Frozen, epoch: number): boolean =>
  unfreeze.some((each) => each.epoch === epoch);

/** The setup as it is once nothing more will be unfrozen. */
export const whollyUnfrozen = <T extends TrainingSetup>({ unfreeze = [], ...setup }: T) => {
  const last = unfreeze.at(-1);
  return { ...setup, ...(last ? { trainFrom: last.from } : {}) };
};

/**
 * The update before which each parameter was frozen that an epoch trains and the first did not: the
 * optimizer counts its updates from there.
 */
export function firstUpdatesIn(
  setup: Pick<TrainingSetup, "network"> & Frozen,
  epoch: number,
  updatesPerEpoch: number,
): ReadonlyMap<string, number> {
  const { network } = setup;
  const firstUpdates = new Map<string, number>();
  const known = new Set(trainedParameters(network, setup.trainFrom));
  for (const { from, epoch: begun } of begunBy(setup, epoch))
    for (const name of trainedParameters(network, from)) {
      if (!known.has(name)) firstUpdates.set(name, (begun - 1) * updatesPerEpoch);
      known.add(name);
    }
  return firstUpdates;
}

/** The parameter groups without those whose parameters an epoch does not train yet. */
export function groupsIn(
  setup: Pick<TrainingSetup, "network" | "parameterGroups"> & Frozen,
  epoch: number,
): TrainingSetup["parameterGroups"] {
  const { network, parameterGroups, unfreeze = [] } = setup;
  const later = unfreeze.slice(begunBy(setup, epoch).length);
  const last = later.at(-1);
  if (!parameterGroups || !last) return parameterGroups;
  const now = trainedParameters(network, trainFromIn(setup, epoch));
  const then = trainedParameters(network, last.from);
  const isOf = (prefix: string) => (name: string) =>
    name === prefix || name.startsWith(`${prefix}.`);
  // One that is of no parameter ever is left in, to be refused.
  return parameterGroups.filter(({ prefix }) => now.some(isOf(prefix)) || !then.some(isOf(prefix)));
}

/**
 * @param epochs of the run; absent: unknown
 * @throws ArgumentError where nothing is frozen, where features of what is unfrozen are kept, where
 *   epochs do not rise, or where an unfreezing adds nothing to what is trained
 */
export function checkUnfreezing(
  setup: Pick<TrainingSetup, "network" | "features"> & Frozen,
  epochs?: number,
): void {
  const { network, trainFrom = "all", unfreeze = [], features } = setup;
  if (unfreeze.length === 0) return;
  const refuse = (why: string): never => {
    throw new ArgumentError(`training: --unfreeze ${why}`);
  };
  if (trainFrom === "all")
    refuse("has no effect where nothing is frozen; leave it out, or add --train-from MODULE");
  if (features) refuseUnfreezingFeatures(unfreeze);
  let [before, begun] = [trainFrom, 1];
  for (const { from, epoch } of unfreeze) {
    checkPositiveInteger("training", `the epoch of --unfreeze ${from}`, epoch);
    if (epoch <= begun)
      refuse(
        `${from}@${epoch} must come after epoch ${begun}, in which training is from ${before}; epochs count from 1 and rise`,
      );
    if (epochs !== undefined && epoch > epochs)
      refuse(
        `${from}@${epoch} is after the last of ${epochs} epochs; leave it out, or raise --epochs`,
      );
    const [less, more] = [trainedParameters(network, before), trainedParameters(network, from)];
    if (more.length <= less.length || !less.every((name) => more.includes(name)))
      refuse(
        `${from}@${epoch} must train more than before, where training is from ${before}; give a module that comes earlier in the network`,
      );
    [before, begun] = [from, epoch];
  }
}

/** @throws ArgumentError: the features that are kept are those of what lies before the first epoch's training */
export function refuseUnfreezingFeatures(unfreeze: readonly Unfreezing[]): never {
  const [{ from, epoch }] = unfreeze as [Unfreezing];
  throw new ArgumentError(
    `training: --cache-features cannot be used with --unfreeze ${from}@${epoch}, as the features of an image change once what computes them is trained; leave one of the two out`,
  );
}
