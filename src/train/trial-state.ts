/** @file Where a trial stands between two epochs: all that the next one depends on. */

import type { Checkpoint } from "../formats/index.ts";
import type { EpochMetrics, TrialRecord } from "../record/index.ts";

/** A trial after some finished epochs: with it, the next epoch gives the bits that it would have given. */
export interface TrialState {
  /** Of the finished epochs. */
  readonly metrics: readonly EpochMetrics[];
  /** Weights, running statistics and optimizer state. */
  readonly checkpoint: Checkpoint;
  readonly msPerStep: number | null;
  readonly seconds: number;
  /** Epoch of the best weights that are kept; null where there are none, or none that can be read. */
  readonly bestKept: number | null;
  /** Those weights; without them a test part is not scored unless a better epoch comes. */
  readonly best?: Checkpoint | null;
}

/** First of the epochs with the highest validation accuracy; null before there is one. */
export function bestEpoch(metrics: readonly EpochMetrics[]): number | null {
  let best: EpochMetrics | undefined;
  for (const line of metrics)
    if (
      line.validationAccuracy !== null &&
      line.validationAccuracy > (best?.validationAccuracy ?? -1)
    )
      best = line;
  return best?.epoch ?? null;
}

/** Whether there is nothing left to do: it ran to its end, diverged, or was pruned. */
export const isFinished = ({ status }: Pick<TrialRecord, "status">): boolean =>
  status === "done" || status === "diverged" || status === "pruned";

/** Whether it keeps the checkpoint that it ended at, so that a study without pruning can go on with it. */
export const keepsCheckpoint = ({ status, rung }: Pick<TrialRecord, "status" | "rung">): boolean =>
  status === "pruned" && rung !== undefined;
