/**
 * @file How long a training step takes, next to PyTorch's in the same run. Ours and the peer's steps
 * alternate in rounds, so that a slow minute of the machine falls on both.
 */

import { setTimeout as pause } from "node:timers/promises";
import { compileNetwork } from "../compile/index.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { createModel } from "../models/index.ts";
import { createOptimizer } from "../optimizers/index.ts";
import type { Backend } from "../program/index.ts";
import { nativeBackend } from "../runtime/native/index.ts";
import { findTorchPython, type Peer, startTorch } from "./bench-peers.ts";
import { defaultThreads, describeMachine } from "./machine.ts";

export interface BenchStepOptions {
  /** Default "vanilla". */
  readonly model?: string;
  /** Images a step; default 64. */
  readonly batch?: number;
  /** Height and width of the images; default 128. */
  readonly size?: number;
  /** Default: all processors. */
  readonly threads?: number;
  /** Default "fp32", the only one so far. */
  readonly precision?: "fp32" | "bf16";
  /** Measured steps of each side, in five rounds; default 25. */
  readonly repetitions?: number;
  /** Whether to measure PyTorch too, where a Python has it; default true. */
  readonly peers?: boolean;
  readonly onProgress?: (progress: BenchProgress) => void;
  readonly signal?: AbortSignal;
}

export interface BenchProgress {
  /** Steps made, of all sides, and to make. */
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

/** A peer's time, and how many times slower than ours it is. */
export interface BenchPeer {
  /** "pytorch 1.13.1, channels_last, 2 threads" */
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Peer's median / our median: above 1, ours is faster. */
  readonly ratio: number;
}

/** What `bench step --json` prints. */
export interface BenchStepRecord {
  readonly model: string;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
  readonly precision: "fp32";
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly imagesPerSecond: number;
  /** Arena and persistent buffers together, in 2^20 bytes; batches waiting in slots not counted. */
  readonly peakMemoryMiB: number;
  /** Time of the convolutions alone, a lower bound; null, as it is not measured yet. */
  readonly limitMs: number | null;
  readonly peers: readonly BenchPeer[];
  /** Measured steps of each side. */
  readonly repetitions: number;
  readonly machine: ReturnType<typeof describeMachine>;
  /** "oneDNN 2.6.3, avx2, 2 threads" */
  readonly engine: string;
  /** Sentences for people: why a peer is absent, or differs. */
  readonly notes: readonly string[];
}

const ROUNDS = 5;
const WARM_UP_STEPS = 3;
const CLASSES = 5;
const CHANNELS = 3;
/** Lets a side's OpenMP threads stop spinning before the other side's turn, in milliseconds. */
const SETTLE_MS = 50;

/** One side of the benchmark. */
interface Side {
  readonly name: string;
  run(steps: number): Promise<number[]>;
  readonly times: number[];
}

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
    onProgress,
    signal,
  } = options;
  for (const [name, value] of Object.entries({ batch, size, threads, repetitions }))
    checkPositiveInteger("bench step", name, value);
  if (precision !== "fp32")
    throw new ArgumentError(
      `bench step: precision must be fp32, the only one so far; got ${precision}`,
    );

  const backend = nativeBackend({ threads });
  const ours = await openOurs({ model, batch, size, threads, backend });
  const notes: string[] = [];
  const peer = wantPeers
    ? await openPeer({ model, batch, size, threads, parameters: ours.parameters, notes })
    : null;
  try {
    const sides: Side[] = [{ name: "lrscope", run: ours.run, times: [] }];
    if (peer) sides.push({ name: peer.name, run: (steps) => peer.run(steps), times: [] });
    await takeTurns({ sides, repetitions, onProgress, signal });
    const own = statistics(sides[0]!.times);
    return {
      model,
      batch,
      size,
      threads,
      precision,
      ...own,
      imagesPerSecond: (batch / own.medianMs) * 1000,
      peakMemoryMiB: ours.memoryBytes / 2 ** 20,
      limitMs: null,
      peers: sides.slice(1).map(({ name, times }) => {
        const theirs = statistics(times);
        return { name, ...theirs, ratio: theirs.medianMs / own.medianMs };
      }),
      repetitions,
      machine: describeMachine(),
      engine: backend.description,
      notes,
    };
  } finally {
    peer?.close();
    ours.close();
  }
}

interface SideOptions {
  readonly model: string;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
}

/** Compiles the model, fills one batch with noise, and steps on it. */
async function openOurs({
  model,
  batch,
  size,
  threads,
  backend,
}: SideOptions & { backend: Backend }) {
  const network = createModel(model, { classes: CLASSES, channels: CHANNELS, size });
  const optimizer = createOptimizer("sgd");
  const compiled = compileNetwork({ network, backend, batch, optimizer, slots: 1, threads });
  const session = backend.createSession(compiled.sessionOptions);
  try {
    compiled.initialize(session, 0);
    const noise = randomStream(0, "synthetic");
    const images = session.images(0);
    // Uniform in [-sqrt 3, sqrt 3): mean 0, variance 1, as normalised images have.
    for (let i = 0; i < images.length; i++) images[i] = (noise.uniform() * 2 - 1) * Math.sqrt(3);
    session.labels(0).forEach((_, i, labels) => {
      labels[i] = i % CLASSES;
    });
    const program = session.load(compiled.programs.train);
    let update = 0;
    return {
      parameters: compiled.parameterCount,
      memoryBytes: compiled.memory.arenaBytes + compiled.memory.persistentBytes,
      close: () => session.dispose(),
      async run(steps: number): Promise<number[]> {
        const times: number[] = [];
        for (let i = 0; i < steps; i++) {
          const scalars = compiled.scalars({ seed: 0, update: update++, learningRate: 1e-3 });
          const started = performance.now();
          await program.run({ slot: 0, scalars });
          times.push(performance.now() - started);
        }
        return times;
      },
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

async function openPeer(
  options: SideOptions & { parameters: number; notes: string[] },
): Promise<Peer | null> {
  const { parameters, notes, ...side } = options;
  const python = await findTorchPython();
  if (python === null) {
    notes.push(
      "PyTorch was not measured: no python3 has it (Debian: apt-get install python3-torch)",
    );
    return null;
  }
  try {
    const peer = await startTorch(python, { ...side, channels: CHANNELS, classes: CLASSES });
    if (peer.parameters !== parameters)
      notes.push(`PyTorch's ${side.model} has ${peer.parameters} parameters, ours ${parameters}`);
    return peer;
  } catch (error) {
    notes.push(`PyTorch was not measured: ${(error as Error).message}`);
    return null;
  }
}

/** Warms every side up, then measures `repetitions` steps of each in rounds of turns. */
export async function takeTurns(options: {
  sides: readonly Side[];
  repetitions: number;
  onProgress?: ((progress: BenchProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { sides, repetitions, onProgress, signal } = options;
  const rounds = Math.min(ROUNDS, repetitions);
  const total = sides.length * (WARM_UP_STEPS + repetitions);
  let done = 0;
  const turn = async (side: Side, steps: number) => {
    if (signal?.aborted) throw new InterruptedError("interrupted; nothing was recorded");
    onProgress?.({ done, total, what: side.name });
    await pause(SETTLE_MS);
    const times = await side.run(steps);
    done += steps;
    return times;
  };
  for (const side of sides) await turn(side, WARM_UP_STEPS);
  for (let round = 0; round < rounds; round++) {
    // Round r ends at step floor((r + 1) n / rounds): uneven counts spread over the rounds.
    const steps =
      Math.floor(((round + 1) * repetitions) / rounds) - Math.floor((round * repetitions) / rounds);
    for (const side of sides) side.times.push(...(await turn(side, steps)));
  }
  onProgress?.({ done, total, what: "done" });
}

function statistics(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    medianMs: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2,
    minMs: sorted[0]!,
    maxMs: sorted.at(-1)!,
  };
}
