/** @file Where a trial stands on the disk, and how it goes on from there. */

import type { EpochMetrics, TrialRecord } from "../record/index.ts";
import { newestCheckpoint, type RunDirectory, sweepTemporaries } from "../store/index.ts";
import { type Checkpoint, decodeSafetensors, readSafetensors } from "../weights/index.ts";
import { readMetadata } from "./checkpoint.ts";

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
}

/**
 * Reads a trial's newest whole checkpoint, and makes its folder agree with it: metrics.jsonl holds the
 * epochs that the checkpoint knows, and what was half written is gone. Call it with the lock held.
 * @returns null where the trial begins anew
 */
export async function restoreTrial(
  directory: RunDirectory,
  { slug, seed }: { slug: string; seed: number },
): Promise<TrialState | null> {
  const folder = directory.trialFile(slug, seed, ".");
  sweepTemporaries(folder);
  const found = newestCheckpoint(directory.checkpoints(slug, seed));
  directory.restoreMetrics(slug, seed, found?.record.metrics ?? []);
  if (!found) return null;
  const { metrics, msPerStep, seconds } = found.record;
  return {
    metrics,
    msPerStep,
    seconds,
    checkpoint: decodeSafetensors(found.weights, `checkpoint of epoch ${found.record.epoch}`),
    bestKept: await bestKept(directory.trialFile(slug, seed, "best.safetensors")),
  };
}

/** Whether there is nothing left to do: it ran to its end, or diverged. */
export const isFinished = ({ status }: Pick<TrialRecord, "status">): boolean =>
  status === "done" || status === "diverged";

async function bestKept(file: string): Promise<number | null> {
  try {
    return readMetadata(await readSafetensors(file), file).epoch;
  } catch {
    return null;
  }
}
