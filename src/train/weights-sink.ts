/** @file Who wants a trial's weights gets them here, as they come to be; events say that they did. */

import type { Checkpoint, CheckpointInParts } from "../formats/index.ts";
import type { CheckpointRecord, TrialRecord } from "../record/index.ts";

/** Weights that stand for themselves: prediction and export take them. */
export interface KeptWeights {
  /** "averaged" at the end, where an average is kept; "last" holds the optimizer's state too. */
  readonly which: "best" | "last" | "averaged";
  readonly trial: TrialRecord;
  readonly epoch: number;
  readonly weights: Checkpoint;
}

/** All that the next epoch depends on. */
export interface KeptCheckpoint {
  readonly trial: TrialRecord;
  /** How far the trial has come. */
  readonly record: CheckpointRecord;
  /** With the optimizer's state. */
  readonly weights: Checkpoint;
}

/** The same with weights that are read out while they are taken, which must be done when the promise resolves. */
export type InParts<T extends KeptWeights | KeptCheckpoint> = Omit<T, "weights"> & {
  readonly weights: CheckpointInParts;
};

/**
 * A part that is absent costs nothing: the weights are not copied out. What a part throws, or a promise of
 * its rejects with, ends the work. A promise is awaited, so that a slow disk slows the run, not the memory.
 */
export interface WeightsSink {
  /** Each time when a trial's validation accuracy is its best; at the end, the last and the averaged ones. */
  weights?(kept: KeptWeights): void | Promise<void>;
  /** After each finished epoch. */
  checkpoint?(kept: KeptCheckpoint): void | Promise<void>;
  /** In the place of `weights`, where there is one: nothing is held whole. */
  weightsInParts?(kept: InParts<KeptWeights>): Promise<void>;
  /** In the place of `checkpoint`, where there is one. */
  checkpointInParts?(kept: InParts<KeptCheckpoint>): Promise<void>;
}
