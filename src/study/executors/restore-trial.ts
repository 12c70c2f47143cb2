/** @file Where a trial stands on the disk, and how it goes on from there. */

import { withFile } from "../../files/open-weights.ts";
import { checkSealOf } from "../../files/seal.ts";
import { readSafetensors } from "../../files/weight-files.ts";
import type { Checkpoint } from "../../formats/index.ts";
import type { CheckpointRecord, Task } from "../../record/index.ts";
import {
  findNewestCheckpoint,
  type RunDirectory,
  sweepTemporaries,
  type WeightsOnDisk,
} from "../../store/index.ts";
import { readMetadata } from "../../train/checkpoint.ts";
import { bestEpoch, type TrialState } from "../../train/trial-state.ts";

type TrialTask = Pick<Task<"trial">, "slug" | "seed" | "keepWeights">;

/** A trial's newest whole checkpoint, with its weights where they lie. */
export interface TrialOnDisk {
  readonly record: CheckpointRecord;
  readonly checkpoint: WeightsOnDisk;
  /** Path of the best weights so far, and their epoch; null where there are none that are whole. */
  readonly best: { readonly path: string; readonly epoch: number } | null;
}

/**
 * Reads a trial's newest whole checkpoint, and makes its folder agree with it: metrics.jsonl holds the
 * epochs that the checkpoint knows, and what was half written is gone. Call it with the lock held.
 * @returns null where the trial begins anew
 */
export async function restoreTrial(
  directory: RunDirectory,
  task: TrialTask,
): Promise<TrialState | null> {
  const found = trialOnDisk(directory, task);
  if (found === null) return null;
  const { metrics, msPerStep, seconds } = found.record;
  return {
    ...{ metrics, msPerStep, seconds },
    checkpoint: await readSafetensors(found.checkpoint.path),
    bestKept: found.best?.epoch ?? null,
    best: found.best && (await readSafetensors(found.best.path)),
  };
}

/** The same, without a tensor in memory: for whoever passes them on. */
export function trialOnDisk(
  directory: RunDirectory,
  { slug, seed, keepWeights }: TrialTask,
): TrialOnDisk | null {
  sweepTemporaries(directory.trialFile(slug, seed, "."));
  const found = findNewestCheckpoint(directory.checkpoints(slug, seed));
  const kept = bestOnDisk(directory.trialFile(slug, seed, "best.safetensors"));
  const best = found && keepWeights !== false && bestEpoch(found.record.metrics);
  // Best weights that are lost, and that the checkpoint does not have, can only be trained again.
  const epoch = found?.record.epoch ?? 0;
  const lost = typeof best === "number" && best < epoch && (kept === null || kept.epoch < best);
  const usable = lost ? null : found;
  directory.restoreMetrics(slug, seed, usable?.record.metrics ?? []);
  const log = (text: string) =>
    directory.appendLog(slug, seed, `${new Date().toISOString()} ${text}`);
  if (lost) log(`best weights, of epoch ${best}, are lost: begins anew`);
  if (!usable) return null;
  log(`goes on after epoch ${usable.record.epoch}`);
  return { record: usable.record, checkpoint: usable.weights, best: kept };
}

/** null where the file cannot be read, or was changed. */
function bestOnDisk(path: string): TrialOnDisk["best"] {
  try {
    const metadata: Checkpoint["metadata"] = withFile(path, checkSealOf);
    return { path, epoch: readMetadata({ metadata, tensors: new Map() }, path).epoch };
  } catch {
    return null;
  }
}
