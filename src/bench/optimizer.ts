/**
 * @file How long an optimizer's update of 51 million parameters takes: those of the 2019 publication's CNN at 224
 * pixels, nearly all of them in one tensor. Beside the faster of PyTorch's foreach and fused, and beside what moving the memory costs.
 */

import { compileNetwork, instructionRows } from "../compile/index.ts";
import { at, get } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import type { Network } from "../ir/index.ts";
import { createModel } from "../models/index.ts";
import { createOptimizer, type Optimizer } from "../optimizers/index.ts";
import type { Backend, OptimizerProgram } from "../program/index.ts";
import { measureTriad } from "./machine-peaks.ts";
import { openPeer, startPeer } from "./peers.ts";
import { type BenchPeer, comparedWith, type Side, statistics, takeTurns } from "./turns.ts";

/** What is measured, by PyTorch's names; momentum is SGD with 0.9. */
export const BENCHED_OPTIMIZERS = [
  "sgd",
  "momentum",
  "adagrad",
  "adadelta",
  "rmsprop",
  "adam",
  "adamw",
  "adamax",
] as const;

export interface BenchOptimizerOptions {
  readonly threads?: number;
  /** Measured updates of each side; default 15. */
  readonly repetitions?: number;
  readonly peers?: boolean;
  readonly signal?: AbortSignal;
}

export interface OptimizerTimes {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Read and written by one update. */
  readonly bytes: number;
  /** bytes / median, 10^9 bytes a second. */
  readonly gigabytesPerSecond: number;
  /** Of the triad's bandwidth, in this run: 1 is what memory allows. */
  readonly triadShare: number;
  readonly peers: readonly BenchPeer[];
}

export interface BenchOptimizerRecord {
  readonly parameters: number;
  readonly threads: number;
  readonly triadGBs: number;
  readonly optimizers: readonly OptimizerTimes[];
  readonly machine: ReturnType<typeof describeMachine>;
  readonly engine: string;
  readonly notes: readonly string[];
}

/**
 * How long one update of 51 million parameters takes, for each optimizer; times are medians, in milliseconds.
 */
export async function benchOptimizer(
  options: BenchOptimizerOptions = {},
): Promise<BenchOptimizerRecord> {
  const { threads = defaultThreads(), repetitions = 15, peers = true, signal } = options;
  checkPositiveInteger("bench optimizer", "threads", threads);
  checkPositiveInteger("bench optimizer", "repetitions", repetitions);
  const backend = await openBackend(DEFAULT_ENGINE, { threads });
  const network = createModel("vanilla_2019", { classes: 5, channels: 3, size: 224 });
  const notes: string[] = [];
  const optimizers: Omit<OptimizerTimes, "triadShare">[] = [];
  let parameters = 0;
  const triads: number[] = [];
  for (const name of BENCHED_OPTIMIZERS) {
    const optimizer =
      name === "momentum" ? createOptimizer("sgd", { momentum: 0.9 }) : createOptimizer(name);
    const ours = await openUpdate({ network, backend, threads, optimizer });
    parameters = ours.parameters;
    const peer =
      peers && notes.length === 0
        ? await openPeer(
            (python) =>
              startPeer(python, "torch_optimizer.py", {
                flags: { optimizer: name, shapes: JSON.stringify(ours.shapes), threads },
                threads,
                setting: "tuned",
              }),
            notes,
          )
        : null;
    try {
      triads.push(await measureTriad(threads));
      const sides: Side[] = [{ name, run: ours.run, times: [] }];
      if (peer) sides.push({ name: peer.name, run: peer.run, times: [] });
      await takeTurns({ sides, repetitions, signal });
      const own = statistics(at(sides, 0, "sides").times);
      const gigabytesPerSecond = ours.bytes / own.medianMs / 1e6;
      optimizers.push({
        name,
        ...own,
        bytes: ours.bytes,
        gigabytesPerSecond,
        peers: comparedWith(own, sides.slice(1)),
      });
    } finally {
      peer?.close();
      ours.close();
    }
  }
  // One for each optimizer, between the measurements: a slow minute of the machine falls on few.
  const triadGBs = statistics(triads).medianMs;
  return {
    parameters,
    threads,
    triadGBs,
    optimizers: optimizers.map((times) => ({
      ...times,
      triadShare: times.gigabytesPerSecond / triadGBs,
    })),
    machine: describeMachine(),
    engine: backend.description,
    notes,
  };
}

/** The optimizer's instruction of a compiled step, to be run alone. */
async function openUpdate(options: {
  network: Network;
  backend: Backend;
  threads: number;
  optimizer: Optimizer;
}) {
  const compiled = compileNetwork({ ...options, batch: 2, slots: 1 });
  const { train } = compiled.programs;
  const instruction = train.instructions.length - 1;
  const optimizer = get(at(train.instructions, instruction, "instructions"), "optimizer", "update");
  const session = await options.backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 0);
  for (const { gradient } of optimizer.segments)
    await session.initialize(
      at(train.buffers, gradient, "buffers"),
      { kind: "uniform", low: -1, high: 1 },
      1,
      gradient,
    );
  const loaded = await session.load(train);
  let update = 0;
  return {
    parameters: compiled.parameterCount,
    shapes: optimizer.segments.map(
      ({ parameter }) => at(train.buffers, parameter, "buffers").shape,
    ),
    bytes: movedBytes(optimizer, at(instructionRows(train), instruction, "rows").bytes),
    close: () => session.dispose(),
    async run(repetitions: number): Promise<number[]> {
      const scalars = compiled.scalars({ seed: 0, update: update++, learningRate: 1e-3 });
      return [
        ...(await get(loaded, "time", "program")({ slot: 0, scalars, instruction, repetitions })),
      ];
    },
  };
}

/** Each source once for every phase that loads it, and once for every phase that stores it. */
function movedBytes({ phases, segments }: OptimizerProgram, everyOperandOnce: number): number {
  const elements = segments.reduce((sum, segment) => sum + segment.elements, 0);
  let moves = 0;
  for (const phase of phases) {
    if (phase.kind !== "elementwise") return everyOperandOnce;
    moves += new Set(phase.code.filter(({ op }) => op === "load").map(({ a }) => JSON.stringify(a)))
      .size;
    moves += new Set(phase.code.filter(({ op }) => op === "store").map(({ target }) => target))
      .size;
  }
  return moves * 4 * elements;
}
