/** @file How much of a recorded study is left to do. */

import { type Run, stoppedArms } from "../../store/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import { unmeasured } from "../finder/run-finder.ts";

/** Runs that are not at their end, those of arms that were stopped aside. */
export function unfinished(path: string, { experiment, rangeTests, trials }: Run): number {
  const { arms, protocol, kind, specification: spec } = experiment;
  if (kind === "find") return spec ? unmeasured(path, { spec }) : Number(rangeTests.length === 0);
  const stopped = stoppedArms(path);
  const going = arms.filter(({ name }) => !stopped.has(name));
  const names = new Set(going.map(({ name }) => name));
  const ended = trials.filter(({ trial }) => names.has(trial.arm) && isFinished(trial));
  return going.length * protocol.seeds.length - ended.length;
}
