/** @file How much of a recorded study is left to do. */

import { prunedArms, type Run, stoppedArms } from "../../store/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import { unmeasured } from "../finder/run-finder.ts";

/** Runs that are not at their end, those of arms that were stopped or pruned aside. */
export function unfinished(path: string, { experiment, rangeTests, trials }: Run): number {
  const { arms, protocol, kind, specification: spec } = experiment;
  if (kind === "find") return spec ? unmeasured(path, { spec }) : Number(rangeTests.length === 0);
  const stopped = stoppedArms(path);
  // A study that prunes no more goes on with those, too.
  const pruned = spec?.pruning ? prunedArms(path) : new Map();
  const going = arms.filter(({ name }) => !stopped.has(name) && !pruned.has(name));
  const names = new Set(going.map(({ name }) => name));
  const ended = trials.filter(({ trial }) => names.has(trial.arm) && isFinished(trial));
  return going.length * protocol.seeds.length - ended.length;
}
