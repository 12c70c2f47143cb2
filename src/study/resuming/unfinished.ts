/** @file How much of a recorded study is left to do. */

import type { Run } from "../../store/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import { unmeasured } from "../finder/run-finder.ts";

/** Runs that are not at their end. */
export function unfinished(path: string, { experiment, rangeTests, trials }: Run): number {
  const { arms, protocol, kind, specification: spec } = experiment;
  if (kind === "find") return spec ? unmeasured(path, { spec }) : Number(rangeTests.length === 0);
  return (
    arms.length * protocol.seeds.length - trials.filter(({ trial }) => isFinished(trial)).length
  );
}
