/** @file The native Backend: src/program/backend.ts over the addon. */

import { availableParallelism } from "node:os";
import { checkPositiveInteger } from "../../core/checks.ts";
import { AddonError, ArgumentError } from "../../core/errors.ts";
import { MOST_THREADS } from "../../core/limits.ts";
import { checkTypedArray } from "../../core/typed-arrays.ts";
import type {
  Backend,
  BufferSpec,
  Initializer,
  LayoutAnswer,
  LayoutRequest,
  LoadedProgram,
  Program,
  RunOptions,
  Session,
  SessionOptions,
  TimeOptions,
} from "../../program/index.ts";
import {
  type EngineAddon,
  loadAddon,
  type NativeFailure,
  type NativeProgram,
  type NativeSession,
} from "./addon/index.ts";
import { implementationsFor } from "./implementations.ts";

export interface NativeBackendOptions {
  /** Threads that layouts and scratchpads are planned for; the machine's processors by default. */
  readonly threads?: number;
  /**
   * Compute products of bf16 by those of f32 on rounded values, whatever the processor has. The numbers
   * are those that a processor with bf16 gives, but for the order of sums; slower than f32. For tests,
   * and for studies of what precision does to a training. Default false.
   */
  readonly emulateBf16?: boolean;
}

/**
 * The backend that trains: oneDNN primitives and a few loops of our own, in f32; in bf16 where the
 * processor multiplies that.
 * @throws AddonError when the native module is absent, saying what to install
 */
export function nativeBackend(options: NativeBackendOptions = {}): Backend {
  const { threads = availableParallelism(), emulateBf16 = false } = options;
  checkPositiveInteger("nativeBackend", "threads", threads);
  if (threads > MOST_THREADS)
    throw new ArgumentError(
      `nativeBackend: threads must be at most ${MOST_THREADS}; got ${threads}`,
    );
  const addon = loadAddon();
  const { onednn, isa, bf16, firstBlock } = addon.engineInfo();
  const chooseLayouts = (request: LayoutRequest): LayoutAnswer =>
    named(`${request.kind} "${request.layer}"`, () =>
      addon.chooseLayouts(request, threads, emulateBf16),
    );
  return {
    kind: "native",
    description: `oneDNN ${onednn}, ${isa}, ${threads} thread${threads === 1 ? "" : "s"}${emulateBf16 ? ", bf16 emulated" : ""}`,
    threads,
    capabilities: { bf16: bf16 || emulateBf16, profile: true, timing: true, firstBlock },
    // A cache line, and the widest vector register.
    alignment: 64,
    chooseLayouts,
    implementations: (request) => implementationsFor(request, chooseLayouts),
    openSession: async (sessionOptions) => createSession(addon, sessionOptions),
  };
}

function createSession(addon: EngineAddon, options: SessionOptions): Session {
  const session = named("session", () => addon.createSession(options));
  return {
    load: async (program) => loadProgram(session, program),
    images: (slot) => named("images", () => session.images(slot)),
    labels: (slot) => named("labels", () => session.labels(slot)),
    initialize: async (
      buffer: BufferSpec,
      initializer: Initializer,
      seed: number,
      ordinal: number,
    ) => named(buffer.name, () => session.initialize(buffer, initializer, seed >>> 0, ordinal)),
    read: async (buffer) => named(buffer.name, () => session.read(buffer)),
    readPart: async (buffer, from, into) =>
      named(buffer.name, () => session.readPart(buffer, from, into)),
    async write(buffer, values) {
      const isDouble = values instanceof Float64Array;
      checkTypedArray(buffer.name, "values", isDouble ? "Float64Array" : "Float32Array", values);
      named(buffer.name, () =>
        session.write(buffer, isDouble ? Float32Array.from(values) : values),
      );
    },
    dispose: () => session.dispose(),
  };
}

function loadProgram(session: NativeSession, program: Program): LoadedProgram {
  let native: NativeProgram;
  try {
    native = session.load(program);
  } catch (error) {
    throw explained(error, program);
  }
  const subject = `program "${program.name}"`;
  const started = async <T>(scalars: unknown, start: () => Promise<T>): Promise<T> => {
    checkTypedArray(subject, "scalars", "Float64Array", scalars);
    try {
      return await start();
    } catch (error) {
      throw explained(error, program);
    }
  };
  return {
    program,
    run: ({ slot, scalars }: RunOptions) => started(scalars, () => native.run(slot, scalars)),
    profile: ({ slot, scalars }: RunOptions) =>
      started(scalars, () => native.profile(slot, scalars)),
    time: ({ slot, scalars, instruction, repetitions }: TimeOptions) =>
      started(scalars, () => native.time(slot, scalars, instruction, repetitions)),
  };
}

/** Puts the layer in front of what the engine says: `conv2d "features.4": ...`. */
function explained(error: unknown, program: Program): AddonError {
  const failure = error as NativeFailure;
  const instruction =
    failure.instruction === undefined ? undefined : program.instructions[failure.instruction];
  const subject = instruction
    ? `${instruction.kind} "${instruction.layer}"`
    : `program "${program.name}"`;
  return new AddonError(`${subject}: ${failure.message}`, { cause: error });
}

function named<T>(subject: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new AddonError(`${subject}: ${(error as Error).message}`, { cause: error });
  }
}
