/** @file Where a trial stands on the disk, and how it goes on from there. */

import { checkSeal } from "../../files/seal.ts";
import { readSafetensors } from "../../files/weight-files.ts";
import { type Checkpoint, decodeSafetensors } from "../../formats/index.ts";
import type { Task } from "../../record/index.ts";
import { newestCheckpoint, type RunDirectory, sweepTemporaries } from "../../store/index.ts";
import { readMetadata } from "../../train/checkpoint.ts";
import { bestEpoch, type TrialState } from "../../train/trial-state.ts";

/**
 * Reads a trial's newest whole checkpoint, and makes its folder agree with it: metrics.jsonl holds the
 * epochs that the checkpoint knows, and what was half written is gone. Call it with the lock held.
 * @returns null where the trial begins anew
 */
export async function restoreTrial(
  directory: RunDirectory,
  { slug, seed, keepWeights }: Pick<Task<"trial">, "slug" | "seed" | "keepWeights">,
): Promise<TrialState | null> {
  const folder = directory.trialFile(slug, seed, ".");
  sweepTemporaries(folder);
  const found = newestCheckpoint(directory.checkpoints(slug, seed));
  const bestWeights = await readBest(directory.trialFile(slug, seed, "best.safetensors"));
  const kept = bestWeights?.epoch ?? null;
  const best = found && keepWeights !== false && bestEpoch(found.record.metrics);
  // Best weights that are lost, and that the checkpoint does not have, can only be trained again.
  const epoch = found?.record.epoch ?? 0;
  const lost = typeof best === "number" && best < epoch && (kept === null || kept < best);
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
