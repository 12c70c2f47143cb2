/**
 * @file How long a training step takes, next to PyTorch's in the same run. Ours and the peer's steps
 * alternate in rounds, so that a slow minute of the machine falls on both.
 */

import { compileNetwork, type Precision } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { checkPrecision, DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { type ConvolutionChoices, implementationsOf } from "../engine/tuning/convolution-choice.ts";
import { tune } from "../engine/tuning/tune.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import type { Network } from "../ir/index.ts";
import { createOptimizer } from "../optimizers/index.ts";
import type { Backend } from "../program/index.ts";
import { openTuningCache } from "../store/tuning-cache.ts";
import { isModelFile, loadModel } from "../study/load-model.ts";
import { measureLimit, type StepLimit } from "./limit.ts";
import { openNoiseStep } from "./noise-step.ts";
import { NO_PEER } from "./peers.ts";
import { openTorchPeers, type TorchPeer } from "./torch-peers.ts";
import {
  type BenchPeer,
  type BenchProgress,
  comparedWith,
  type Side,
  statistics,
  takeTurns,
} from "./turns.ts";

export interface BenchStepOptions {
  /** Default "vanilla". */
  readonly model?: string;
  /** Of vanilla, channels of each block; default its own four. */
  readonly widths?: readonly number[];
  /** Images a step; default 64. */
  readonly batch?: number;
  /** Height and width of the images; default 128. */
  readonly size?: number;
  /** Default: all processors. */
  readonly threads?: number;
  /** Default "fp32". Of "bf16", PyTorch tuned runs under autocast to bfloat16. */
  readonly precision?: Precision;
  /** Measured steps of each side, in five rounds; default 25. */
  readonly repetitions?: number;
  /** Whether to measure PyTorch too, where a Python has it; default true. */
  readonly peers?: boolean;
  /** Whether to measure what the hardware must charge; default true. */
  readonly limit?: boolean;
  /** Whether the convolutions are timed and the fastest kept first; default false: the rule's. */
  readonly tune?: boolean;
  readonly onProgress?: (progress: BenchProgress) => void;
  readonly signal?: AbortSignal;
}

/** What `bench step --json` prints. */
export interface BenchStepRecord {
  readonly model: string;
  /** null: the model's own. */
  readonly widths: readonly number[] | null;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
  readonly precision: Precision;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly imagesPerSecond: number;
  /** Arena and persistent buffers together, in 2^20 bytes; batches waiting in slots not counted. */
  readonly peakMemoryMiB: number;
  /** Resident memory of the whole process after the steps, at its greatest, in 2^20 bytes. */
  readonly residentMiB: number;
  /** What the hardware must charge (bench-limit.ts); null where it was not measured. */
  readonly limitMs: number | null;
  /** Our median / limitMs. */
  readonly limitRatio: number | null;
  readonly limit: StepLimit | null;
  /** Milliseconds from the network to a program that can run. */
  readonly loadMs: number;
  readonly tuned: boolean;
  readonly peers: readonly (BenchPeer & {
    readonly role: TorchPeer["role"];
    readonly residentMiB: number;
  })[];
  /** Every setting of the newest PyTorch that was tried for "tuned", the fastest of which is a peer. */
  readonly tried: readonly { readonly name: string; readonly medianMs: number }[];
  /** Measured steps of each side. */
  readonly repetitions: number;
  readonly machine: ReturnType<typeof describeMachine>;
  /** "oneDNN 2.6.3, avx2, 2 threads" */
  readonly engine: string;
  /** Sentences for people: why a peer is absent, or differs. */
  readonly notes: readonly string[];
}

const CLASSES = 5;
const CHANNELS = 3;
/**
 * Times training steps: SGD with momentum 0, random images of three channels, five classes. Data
 * loading is left out on either side. The first three steps of each side are not counted.
 * @throws ArgumentError for an option outside its domain
 * @throws AddonError where the engine is not built
 */
export async function benchStep(options: BenchStepOptions = {}): Promise<BenchStepRecord> {
  const {
    model = "vanilla",
    batch = 64,
    size = 128,
    threads = defaultThreads(),
    precision = "fp32",
    repetitions = 25,
    peers: wantPeers = true,
    limit: wantLimit = true,
    tune: wantTuned = false,
    widths,
    onProgress,
    signal,
  } = options;
  for (const [name, value] of Object.entries({ batch, size, threads, repetitions }))
    checkPositiveInteger("bench step", name, value);
  checkPrecision("bench step", precision);

  const backend = await openBackend(DEFAULT_ENGINE, { threads });
  const network = (await loadModel(model, widths ? { widths } : {}))({
    classes: CLASSES,
    channels: CHANNELS,
    size,
  });
  const convolutions = wantTuned
    ? (
        await tune({
          network,
          backend,
          batch,
          threads,
          precision,
          signal,
          remember: openTuningCache,
        })
      ).convolutions
    : {};
  const ours = await openOurs({ network, batch, threads, backend, convolutions, precision });
  const notes: string[] = [];
  const peers: TorchPeer[] = [];
  const ofFile = isModelFile(model);
  if (ofFile && wantPeers) notes.push(NO_PEER);
  try {
    const flags = {
      ...{ model, batch, size, threads, channels: CHANNELS, classes: CLASSES, precision },
      ...(widths ? { widths: widths.join(",") } : {}),
    };
    const chosen =
      wantPeers && !ofFile
        ? await openTorchPeers({ flags, notes, signal, onProgress })
        : { peers: [], tried: [] };
    peers.push(...chosen.peers);
    for (const peer of peers)
      if (peer.parameters !== ours.parameters)
        notes.push(`PyTorch's ${model} has ${peer.parameters} parameters, ours ${ours.parameters}`);
    const sides: Side[] = [
      { name: "lrscope", run: ours.run, times: [] },
      ...peers.map(({ name, run }): Side => ({ name, run, times: [] })),
    ];
    await takeTurns({ sides, repetitions, leadIn: 1, onProgress, signal });
    const own = statistics(at(sides, 0, "sides").times);
    const residentMiB = process.resourceUsage().maxRSS / 1024;
    const theirs = comparedWith(own, sides.slice(1));
    const resident = await Promise.all(peers.map((peer) => peer.peakMiB()));
    for (const peer of peers) peer.close();
    const { program } = ours;
    const limit = wantLimit
      ? await measureLimit({ network, backend, batch, threads, program, precision, signal })
      : null;
    return {
      model: ofFile ? network.name : model,
      widths: widths ?? null,
      batch,
      size,
      threads,
      precision,
      ...own,
      imagesPerSecond: (batch / own.medianMs) * 1000,
      peakMemoryMiB: ours.memoryBytes / 2 ** 20,
      residentMiB,
      limitMs: limit?.limitMs ?? null,
      limitRatio: limit ? own.medianMs / limit.limitMs : null,
      limit,
      loadMs: ours.loadMs,
      tuned: wantTuned,
      peers: theirs.map((peer, i) => ({
        ...peer,
        role: at(peers, i, "peers").role,
        residentMiB: at(resident, i, "peers"),
      })),
      tried: chosen.tried,
      repetitions,
      machine: describeMachine(),
      engine: backend.description,
      notes,
    };
  } finally {
    for (const peer of peers) peer.close();
    ours.close();
  }
}

/** Compiles the model, fills one batch with noise, and steps on it. */
export async function openOurs(options: {
  network: Network;
  batch: number;
  threads: number;
  backend: Backend;
  convolutions?: ConvolutionChoices;
  /** Default "fp32". */
  precision?: Precision;
  /** As in training; default "all". */
  trainFrom?: string;
}) {
  const { network, batch, threads, backend, convolutions = {}, trainFrom, precision } = options;
  const started = performance.now();
  const optimizer = createOptimizer("sgd");
  const implementations = implementationsOf(convolutions);
  const compiled = compileNetwork({
    network,
    backend,
    batch,
    optimizer,
    slots: 1,
    threads,
    implementations,
    trainFrom,
    precision,
  });
  const step = await openNoiseStep({ compiled, backend });
  return {
    loadMs: performance.now() - started,
    program: compiled.programs.train,
    parameters: compiled.parameterCount,
    memoryBytes: compiled.memory.arenaBytes + compiled.memory.persistentBytes,
    close: step.close,
    run: step.run,
    /** Parameters and running statistics by name. */
    async weights() {
      const weights = new Map<string, Float32Array>();
      for (const { name, buffer } of compiled.tensors)
        weights.set(name, await step.session.read(buffer));
      return weights;
    },
  };
}
