/** @file How much of a study that prunes is expected to run: by its rules, before there are results. */

import { promotedOf } from "../../analysis/index.ts";
import { rungsOf } from "../../arms/pruning.ts";
import type { Planned } from "../../record/index.ts";

/** Arms that come to a rung, or at the last to the end. */
export interface ExpectedRung {
  readonly epoch: number;
  readonly arms: number;
}

/** The last one is the end of the study; none where nothing is pruned. */
export function armsAtRungs(
  { pruning, ...run }: Pick<Planned, "epochs" | "evalEvery" | "pruning">,
  arms: number,
): ExpectedRung[] {
  if (!pruning) return [];
  const { method, reduction, finalists } = pruning;
  const goOn = (from: number) =>
    // The median rule may let all go on.
    method === "median" ? from : Math.min(from, Math.max(finalists, promotedOf(from, reduction)));
  const expected: ExpectedRung[] = [];
  let left = arms;
  for (const epoch of rungsOf(pruning, run)) {
    expected.push({ epoch, arms: left });
    left = goOn(left);
  }
  return [...expected, { epoch: run.epochs, arms: left }];
}

/** Of the epochs of all arms, the part that is trained: 1 where nothing is pruned. */
export function partTrained(rungs: readonly ExpectedRung[], epochs: number): number {
  const [first] = rungs;
  if (!first || first.arms === 0) return 1;
  let [before, trained] = [0, 0];
  for (const { epoch, arms } of rungs) {
    trained += arms * (epoch - before);
    before = epoch;
  }
  return trained / (first.arms * epochs);
}
