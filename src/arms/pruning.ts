/** @file Where the rungs of a study lie, and what it may not ask of them. */

import { ArgumentError } from "../core/errors.ts";
import type { Planned, StudySpec } from "../record/index.ts";

export type Pruning = NonNullable<StudySpec["pruning"]>;

/** Judgements of the median rule over a run, about, where nobody says how far they lie apart. */
const MEDIAN_JUDGEMENTS = 5;

/** With the first rung where nobody says it: for two rungs of halving, or five judgements of the median rule. */
export function withGrace(
  pruning: Pruning,
  { epochs, evalEvery = 1 }: Pick<Planned, "epochs" | "evalEvery">,
): Pruning {
  const { method, reduction, grace } = pruning;
  if (grace !== undefined) return pruning;
  const parts = method === "median" ? MEDIAN_JUDGEMENTS : reduction ** 2;
  return { ...pruning, grace: Math.max(evalEvery, Math.round(epochs / parts), 1) };
}

/** Epochs after which arms are judged, ascending, all before the last. */
export function rungsOf(pruning: Pruning, run: Pick<Planned, "epochs" | "evalEvery">): number[] {
  const { method, reduction, grace = 1 } = withGrace(pruning, run);
  const rungs: number[] = [];
  for (
    let epoch = grace;
    epoch < run.epochs;
    epoch = method === "median" ? epoch + grace : epoch * reduction
  )
    rungs.push(epoch);
  return rungs;
}

/** What asks for it on the command line, without what it is anyway. */
export const flagsOfPruning = ({ method, reduction, grace, finalists }: Pruning) => ({
  prune: method,
  ...(method === "median" || reduction === 3 ? {} : { reduction }),
  ...(grace === undefined ? {} : { grace }),
  ...(finalists === 2 ? {} : { finalists }),
});

/** @throws ArgumentError for a pruning that could prune nothing, or that other options contradict */
export function checkPruning(
  { pruning, prune, epochs, evalEvery = 1, sensitivity }: Planned,
  arms: number,
): void {
  if (pruning === undefined) return;
  const refuse = (why: string) => {
    throw new ArgumentError(`compare: ${why}`);
  };
  const { method, grace = 1, finalists } = pruning;
  if (prune !== undefined)
    refuse(`prune ${prune} and pruning "${method}" are two ways to end runs early; leave one out`);
  if (sensitivity !== undefined)
    refuse(
      `pruning "${method}" and sensitivity do not go together, as the rates that are behind are what a sensitivity shows; leave one out`,
    );
  if (grace < evalEvery)
    refuse(
      `grace must be at least evalEvery, as arms are judged by a validation; got grace ${grace} and evalEvery ${evalEvery}`,
    );
  if (rungsOf(pruning, { epochs, evalEvery }).length === 0)
    refuse(
      `grace must be below epochs, or no run ends before its last; got grace ${grace} and epochs ${epochs}`,
    );
  if (arms <= finalists)
    refuse(
      `pruning "${method}" would prune nothing: there are ${arms} arms, and ${finalists} always go on; name more arms, or lower finalists`,
    );
}
