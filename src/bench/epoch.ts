/**
 * @file A whole training epoch of the vanilla CNN, from a folder of JPEGs, augmented; beside PyTorch's
 * with ImageFolder, RandomRotation, RandomResizedCrop, flip and two workers, and beside as many steps
 * as it has, made without a loader.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { quietly } from "../core/cleanup.ts";
import { openDataset } from "../datasets/open.ts";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import { createModel } from "../models/index.ts";
import { createOptimizer } from "../optimizers/index.ts";
import { openTrainer } from "../train/trainer.ts";
import { drawFolder } from "./data.ts";
import { openPeer, type Peer, startPeer } from "./peers.ts";
import { openOurs } from "./step.ts";
import { type BenchPeer, comparedWith, type Side, statistics, takeTurns } from "./turns.ts";

export interface BenchEpochOptions {
  readonly threads?: number;
  /** Images of an epoch; default 1280. */
  readonly images?: number;
  readonly batch?: number;
  readonly size?: number;
  /** Measured epochs of each side; default 5. */
  readonly repetitions?: number;
  readonly peers?: boolean;
  readonly signal?: AbortSignal;
}

export interface BenchEpochRecord {
  readonly images: number;
  readonly updates: number;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Of a step without a loader: the mean of as many as an epoch has, their median over turns with the epochs. */
  readonly stepMs: number;
  /** Median epoch / (updates x stepMs). */
  readonly stepsRatio: number;
  readonly residentMiB: number;
  readonly peers: readonly (BenchPeer & { readonly residentMiB: number })[];
  readonly machine: ReturnType<typeof describeMachine>;
  readonly engine: string;
  readonly notes: readonly string[];
}

/**
 * How long a training epoch takes, from a folder of JPEGs to updated weights, beside the steps that it is made of
 * and, where it is installed, PyTorch. Times are medians, in milliseconds.
 */
export async function benchEpoch(options: BenchEpochOptions = {}): Promise<BenchEpochRecord> {
  const { threads = defaultThreads(), images = 1280, batch = 64, size = 128 } = options;
  const { repetitions = 5, peers: wantPeers = true, signal } = options;
  for (const [name, value] of Object.entries({ threads, images, batch, size, repetitions }))
    checkPositiveInteger("bench epoch", name, value);
  const folder = mkdtempSync(join(tmpdir(), "lrscope-bench-"));
  const notes: string[] = [];
  const peers: Peer[] = [];
  try {
    // PyTorch's epoch sees the training part alone; ours has a validation part of one image a class.
    await drawFolder(join(folder, "images", "train"), images, [320, 240]);
    await drawFolder(join(folder, "images", "val"), 5, [320, 240]);
    const backend = await openBackend(DEFAULT_ENGINE, { threads });
    const dataset = await openDataset(join(folder, "images"), { size, threads, cacheDir: folder });
    const network = createModel("vanilla", { classes: 5, channels: 3, size });
    const setup = { dataset, network, backend, batch, threads, dropLast: true };
    const trainer = await openTrainer(setup, createOptimizer("sgd"), 0);
    const steps = await openOurs({ network, batch, threads, backend });
    try {
      for (const setting of wantPeers ? (["tuned", "as installed"] as const) : []) {
        const tuned = setting === "tuned" ? 1 : 0;
        const flags = { folder: join(folder, "images", "train"), batch, size, threads, tuned };
        const peer = await openPeer(
          (python) => startPeer(python, "torch_epoch.py", { flags, threads, setting }),
          notes,
        );
        if (!peer) break;
        peers.push(peer);
      }
      let epoch = 0;
      const ours: Side = {
        name: "lrscope",
        times: [],
        async run(count) {
          const times: number[] = [];
          for (let i = 0; i < count; i++) {
            const started = performance.now();
            await trainer.trainEpoch({
              epoch: ++epoch,
              learningRate: () => 1e-3,
              onUpdate: () => !signal?.aborted,
            });
            times.push(performance.now() - started);
          }
          return times;
        },
      };
      const updates = trainer.updatesPerEpoch;
      const alone: Side = {
        name: "steps alone",
        times: [],
        // As many as an epoch has, one after the other: an epoch has its slow steps, too.
        async run(count) {
          const times: number[] = [];
          for (let i = 0; i < count; i++)
            times.push((await steps.run(updates)).reduce((sum, ms) => sum + ms, 0));
          return times;
        },
      };
      const others = peers.map(({ name, run }): Side => ({ name, run, times: [] }));
      await takeTurns({ sides: [ours, alone, ...others], repetitions, warmUp: 1, signal });
      const own = statistics(ours.times);
      const residentMiB = process.resourceUsage().maxRSS / 1024;
      const stepMs = statistics(alone.times).medianMs / updates;
      const resident = await Promise.all(peers.map((peer) => peer.peakMiB()));
      return {
        images,
        updates,
        batch,
        size,
        threads,
        ...own,
        stepMs,
        stepsRatio: own.medianMs / (updates * stepMs),
        residentMiB,
        peers: comparedWith(own, others).map((peer, i) => ({
          ...peer,
          residentMiB: at(resident, i, "peers"),
        })),
        machine: describeMachine(),
        engine: backend.description,
        notes,
      };
    } finally {
      steps.close();
      trainer.dispose();
      dataset.close();
    }
  } finally {
    for (const peer of peers) peer.close();
    quietly(() => rmSync(folder, { recursive: true, force: true }));
  }
}
