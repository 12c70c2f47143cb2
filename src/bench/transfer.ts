/**
 * @file What fine-tuning costs: a step that trains a network's last part, beside PyTorch's with the
 * frozen part in no_grad; the same from a feature cache; and the head alone. All take turns in one run.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { get } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { quietly } from "../core/cleanup.ts";
import type { Dataset } from "../data/types.ts";
import { openDataset } from "../datasets/open.ts";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import type { Network } from "../ir/index.ts";
import { createOptimizer } from "../optimizers/index.ts";
import type { Backend } from "../program/index.ts";
import { cacheFeatures } from "../study/features.ts";
import { isModelFile, loadModel } from "../study/load-model.ts";
import type { Features } from "../train/freezing/frozen-features.ts";
import { freezing } from "../train/freezing/transfer.ts";
import { openTrainer } from "../train/trainer.ts";
import { NO_PEER, openPeer, type Peer, startTorch } from "./peers.ts";
import { openOurs } from "./step.ts";
import {
  type BenchPeer,
  type BenchProgress,
  comparedWith,
  type Side,
  statistics,
  type Times,
  takeTurns,
} from "./turns.ts";

export interface BenchTransferOptions {
  /** Default "resnet34". */
  readonly model?: string;
  /** Images a step; default 32. */
  readonly batch?: number;
  /** Height and width of the images; default 224. */
  readonly size?: number;
  /** Default: all processors. */
  readonly threads?: number;
  /** Measured steps of each side; from the cache, epochs of steps. Default 7. */
  readonly repetitions?: number;
  /** Whether to measure PyTorch too, where a Python has it; default true. */
  readonly peers?: boolean;
  readonly onProgress?: (progress: BenchProgress) => void;
  readonly signal?: AbortSignal;
}

/** A way to train less than a whole step does, and how many times faster than that it is. */
export interface TransferTimes extends Times {
  /** Median of the fine-tuning step on images / median of this. */
  readonly gain: number;
}

export interface CachedTransferTimes extends TransferTimes {
  /** That computing the features of one image took, with what surrounds it. */
  readonly featureMs: number;
  readonly bytesPerImage: number;
}

/** What `bench transfer --json` prints. */
export interface BenchTransferRecord extends Times {
  readonly model: string;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
  /** The module from which the step on images trains. */
  readonly trainFrom: string;
  readonly imagesPerSecond: number;
  /** From a feature cache, reading of the file included: the same training. */
  readonly cached: CachedTransferTimes;
  /** The head alone, on images. */
  readonly head: TransferTimes;
  /** The head alone, from a feature cache. */
  readonly cachedHead: CachedTransferTimes;
  readonly peers: readonly BenchPeer[];
  readonly repetitions: number;
  /** Steps of an epoch from the cache. */
  readonly updatesPerEpoch: number;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly engine: string;
  readonly notes: readonly string[];
}

/** Repetitions of each side that are not counted. */
const WARM_UP = 2;
/** Batches that each of the four classes would fill; a fifth of the images are held out. */
const BATCHES = 2;

/**
 * Times SGD steps without momentum. Images and labels of the steps on images stay where they are, on
 * either side; steps from a cache read their features from its file, as training does.
 * @throws ArgumentError for an option outside its domain
 * @throws AddonError where the engine is not built
 */
export async function benchTransfer(
  options: BenchTransferOptions = {},
): Promise<BenchTransferRecord> {
  const { model = "resnet34", batch = 32, size = 224, threads = defaultThreads() } = options;
  const { repetitions = 7, peers: wantPeers = true, onProgress, signal } = options;
  for (const [name, value] of Object.entries({ batch, size, threads, repetitions }))
    checkPositiveInteger("bench transfer", name, value);
  const build = await loadModel(model);
  const ofFile = isModelFile(model);
  const trainFrom = freezing({ model, pretrained: "", recipe: {} }).trainFrom;
  const folder = mkdtempSync(join(tmpdir(), "lrscope-bench-"));
  const notes: string[] = [];
  const opened: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  try {
    const backend = await openBackend(DEFAULT_ENGINE, { threads });
    const limit = BATCHES * batch;
    const dataset = keep(
      await openDataset("synthetic", { size, threads, limit, cacheDir: folder }),
    );
    const { classes } = dataset;
    const network = build({ classes: classes.length, channels: 3, size });
    const about = { network, batch, threads, backend };
    const ours = keep(await openOurs({ ...about, trainFrom }));
    const head = keep(await openOurs({ ...about, trainFrom: "head" }));
    const fromCache = async (from: string) =>
      keep(
        await openCached({
          ...about,
          dataset,
          weights: await ours.weights(),
          trainFrom: from,
          cacheDir: folder,
        }),
      );
    const [cached, cachedHead] = [await fromCache(trainFrom), await fromCache("head")];
    if (ofFile && wantPeers) notes.push(NO_PEER);
    const peer =
      wantPeers && !ofFile ? await startPeer({ ...about, model, size, trainFrom }, notes) : null;
    if (peer) keep(peer);
    if (peer && peer.parameters !== ours.parameters)
      notes.push(`PyTorch's ${model} has ${peer.parameters} parameters, ours ${ours.parameters}`);
    const side = (name: string, { run }: Pick<Side, "run">): Side => ({ name, run, times: [] });
    const sides = {
      ours: side("lrscope", ours),
      cached: side("lrscope, feature cache", cached),
      head: side("lrscope, head", head),
      cachedHead: side("lrscope, head from the cache", cachedHead),
    };
    const theirs = peer ? [side(peer.name, peer)] : [];
    const all = [...Object.values(sides), ...theirs];
    await takeTurns({ sides: all, repetitions, warmUp: WARM_UP, onProgress, signal });
    const own = statistics(sides.ours.times);
    const gainOf = ({ times }: Side): TransferTimes => {
      const measured = statistics(times);
      return { ...measured, gain: own.medianMs / measured.medianMs };
    };
    const costOf = ({ seconds, bytes }: Features) => ({
      featureMs: (seconds * 1000) / dataset.labels.length,
      bytesPerImage: Math.round(bytes / dataset.labels.length),
    });
    return {
      model: ofFile ? network.name : model,
      batch,
      size,
      threads,
      trainFrom,
      ...own,
      imagesPerSecond: (batch / own.medianMs) * 1000,
      cached: { ...gainOf(sides.cached), ...costOf(cached.features) },
      head: gainOf(sides.head),
      cachedHead: { ...gainOf(sides.cachedHead), ...costOf(cachedHead.features) },
      peers: comparedWith(own, theirs),
      repetitions,
      updatesPerEpoch: cached.updatesPerEpoch,
      machine: describeMachine(),
      engine: backend.description,
      notes,
    };
  } finally {
    for (const resource of opened.reverse()) resource.close();
    quietly(() => rmSync(folder, { recursive: true, force: true }));
  }
}

interface About {
  readonly network: Network;
  readonly batch: number;
  readonly threads: number;
  readonly backend: Backend;
  readonly trainFrom: string;
}

const startPeer = (
  { model, size, network, batch, threads, trainFrom }: About & { model: string; size: number },
  notes: string[],
): Promise<Peer | null> => {
  const { classes } = network;
  const flags = { model, batch, size, threads, channels: 3, classes, trainFrom };
  return openPeer((python) => startTorch(python, flags), notes);
};

/** Trains from a cache of one view; a repetition is an epoch, its time that of an update on average. */
async function openCached(
  options: About & { dataset: Dataset; weights: Map<string, Float32Array>; cacheDir: string },
) {
  const { weights, cacheDir, ...about } = options;
  const pretrained = { source: "initial", sha256: "", tensors: weights, replaced: [] };
  const whole = { ...about, pretrained, dropLast: true };
  const setup = await cacheFeatures(whole, { views: 1, cacheDir });
  // The data set of images is closed by whoever opened it.
  const trainer = await openTrainer(setup, createOptimizer("sgd"), 0);
  let epoch = 0;
  return {
    features: get(setup, "features", "setup"),
    updatesPerEpoch: trainer.updatesPerEpoch,
    close: () => trainer.dispose(),
    async run(count: number): Promise<number[]> {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        const started = performance.now();
        await trainer.trainEpoch({
          epoch: ++epoch,
          learningRate: () => 1e-3,
          onUpdate: () => true,
        });
        times.push((performance.now() - started) / trainer.updatesPerEpoch);
      }
      return times;
    },
  };
}
