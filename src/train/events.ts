/** @file What the lab says while it works. The store, the command line and a user's own code listen. */

import type { Checkpoint } from "../formats/index.ts";
import type {
  CheckpointRecord,
  EpochMetrics,
  RangeTestRecord,
  TrialRecord,
} from "../record/index.ts";
import type { Plan } from "./plan.ts";

/** One thing that the lab says, told apart by `type`. */
export type LabEvent =
  | { type: "range-test-started"; arm: string; seed: number; updates: number }
  | {
      type: "range-test-update";
      arm: string;
      seed: number;
      update: number;
      updates: number;
      lr: number;
      loss: number;
      smoothedLoss: number;
      imagesPerSecond: number;
    }
  /** One seed's curve is whole; it is read when all are. */
  | {
      type: "range-test-run";
      arm: string;
      run: RangeTestRecord["runs"][number];
      seconds: number;
    }
  | { type: "range-test-finished"; arm: string; record: RangeTestRecord }
  /** How the step was compiled; said before each trial, and before each run of a range test. */
  | { type: "plan"; plan: Plan }
  | { type: "trial-started"; trial: TrialRecord; index: number; trials: number }
  | {
      type: "update";
      arm: string;
      seed: number;
      /** Epoch under way, from 1. */
      epoch: number;
      /** Updates made, and to make, in the trial. */
      update: number;
      updates: number;
      lr: number;
      loss: number;
      imagesPerSecond: number;
    }
  /** What the user should know, and did not ask: a run goes on past the end of its schedule. */
  | { type: "warning"; arm: string; seed: number; message: string }
  | { type: "epoch"; arm: string; seed: number; metrics: EpochMetrics }
  /** `read` copies the weights out; call it within the listener or not at all. */
  | {
      type: "weights";
      /** "averaged" at the end, where an average is kept. */
      which: "best" | "last" | "averaged";
      trial: TrialRecord;
      epoch: number;
      read(): Checkpoint;
    }
  /** After each finished epoch: how far the trial has come; `read` as above, with optimizer state. */
  | { type: "checkpoint"; trial: TrialRecord; record: CheckpointRecord; read(): Checkpoint }
  | { type: "trial-finished"; trial: TrialRecord };

/**
 * What it throws, or a promise of its rejects with, ends the work. A promise is awaited on "weights",
 * "checkpoint" and at the end of a trial or range test, so that a slow disk slows the run, not the memory.
 */
export type LabListener = (event: LabEvent) => void | Promise<void>;
