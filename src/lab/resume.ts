/** @file Where a trial stands on the disk, and how it goes on from there. */

import type { EpochMetrics, TrialRecord } from "../record/index.ts";
import { newestCheckpoint, type RunDirectory, sweepTemporaries } from "../store/index.ts";
import { type Checkpoint, decodeSafetensors, readSafetensors } from "../weights/index.ts";
import { readMetadata } from "./checkpoint.ts";
import { checkSeal } from "./seal.ts";

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
  const bestWeights = await readBest(directory.trialFile(slug, seed, "best.safetensors"));
  const kept = bestWeights?.epoch ?? null;
  const best = found && bestEpoch(found.record.metrics);
  // Best weights that are lost, and that the checkpoint does not have, can only be trained again.
  const lost = best !== null && best < found!.record.epoch && (kept === null || kept < best);
  const usable = lost ? null : found;
  directory.restoreMetrics(slug, seed, usable?.record.metrics ?? []);
  const log = (text: string) =>
    directory.appendLog(slug, seed, `${new Date().toISOString()} ${text}`);
  if (lost) log(`best weights, of epoch ${best}, are lost: begins anew`);
  if (!usable) return null;
  log(`goes on after epoch ${usable.record.epoch}`);
  const { metrics, msPerStep, seconds } = usable.record;
  return {
    metrics,
    msPerStep,
    seconds,
    checkpoint: decodeSafetensors(usable.weights, `checkpoint of epoch ${usable.record.epoch}`),
    bestKept: kept,
    best: bestWeights?.checkpoint ?? null,
  };
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

/** The weights in the file, and their epoch; null where it cannot be read, or was changed. */
async function readBest(file: string): Promise<{ checkpoint: Checkpoint; epoch: number } | null> {
  try {
    const checkpoint = await readSafetensors(file);
    checkSeal(checkpoint, file);
    return { checkpoint, epoch: readMetadata(checkpoint, file).epoch };
  } catch {
    return null;
  }
}
