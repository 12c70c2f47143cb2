/**
 * @file Images decoded in a process of their own, for the sake of this one: a file that crashes a decoder
 * or goes beyond a limit is one file without pixels, by name, and the others are decoded all the same.
 *
 * A process may die with several files under way, and memory that one of them corrupted may crash it in
 * another. So whatever a list of files died of, those under way are decoded alone, each in a process of its
 * own, and the others again.
 */

import { closeSync } from "node:fs";
import { at } from "../../core/at.ts";
import { AddonError, DataError, InternalError, InterruptedError } from "../../core/errors.ts";
import { loadAddon, type WorkingShape } from "../../engine/native/addon/index.ts";
import { CRASHES } from "../../files/child-end.ts";
import { BEGUN, type DecodeFailure, speaksOfMemory } from "./decode.ts";
import { type Death, type DecodeChild, startDecodeChild } from "./decode-child.ts";
import { DECODE_LIMITS, type DecodeLimits } from "./decode-limits.ts";
import { type DecoderSettings, SLOTS, sharedLayout } from "./decode-messages.ts";

export interface DecoderOptions extends WorkingShape {
  readonly threads: number;
  /** Files of one call at most. */
  readonly capacity: number;
  /** Default DECODE_LIMITS. */
  readonly limits?: DecodeLimits;
  /** Ends the process, and calls under way with an InterruptedError. */
  readonly signal?: AbortSignal | undefined;
}

export interface DecodedFiles {
  /** (capacity, size, size, channels) u8: file i at place i; valid until the next call but one. */
  readonly pixels: Uint8Array;
  /** null for each file that is decoded, else why it is not. "memory" has become another kind. */
  readonly failures: readonly (DecodeFailure | null)[];
}

export interface ImageDecoder {
  /**
   * Decode as `decodeImages` does. Two calls may be under way, so that one list is decoded while the
   * pixels of another are read.
   * @throws InterruptedError once `signal` has fired
   * @throws AddonError, DataError where no decoding process can be started
   */
  decode(files: readonly string[]): Promise<DecodedFiles>;
  /** Ends the process. */
  close(): void;
}

/** Of a file alone, where what stopped it may have passed. */
const ATTEMPTS = 2;

/**
 * The caller closes it. No process is started before the first call.
 * @throws DataError where there is no memory to share with one
 */
export function openDecoder(options: DecoderOptions): ImageDecoder {
  const { size, channels, threads, capacity, limits = DECODE_LIMITS, signal } = options;
  const settings: DecoderSettings = { size, channels, threads, capacity, limits };
  const layout = sharedLayout(settings);
  const { descriptor, shared } = shareMemory(layout.bytes);
  const children = new Set<DecodeChild>();
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    signal?.removeEventListener("abort", close);
    for (const child of children) child.kill();
    closeSync(descriptor);
  };
  signal?.addEventListener("abort", close);
  if (signal?.aborted) close();

  const start = (threads: number): DecodeChild => {
    if (closed) throw new InterruptedError();
    for (const child of children) if (!child.alive) children.delete(child);
    const child = startDecodeChild({ ...settings, threads }, descriptor);
    children.add(child);
    return child;
  };
  let common: DecodeChild | undefined;
  const run = async (
    child: DecodeChild,
    slot: number,
    files: readonly string[],
    positions: readonly number[],
  ) => {
    layout.states(shared, slot).fill(0);
    const outcome = await child.run({ files, positions, slot });
    if (closed) throw new InterruptedError();
    if (outcome.type === "died" && outcome.stillborn) throw cannotStart(outcome);
    return outcome;
  };

  // What is decoded alone has the machine to itself: lists wait for it, and it for them.
  const lists = new Set<Promise<unknown>>();
  let alone: Promise<unknown> = Promise.resolve();
  const runList: typeof run = async (...task) => {
    for (let seen: typeof alone | undefined; seen !== alone; ) {
      seen = alone;
      await seen;
    }
    const running = run(...task);
    lists.add(running);
    try {
      return await running;
    } finally {
      lists.delete(running);
    }
  };
  const decodeAlone = (slot: number, file: string, position: number) => {
    const turn = alone.then(async () => {
      await Promise.allSettled(lists);
      let failure: DecodeFailure | null = null;
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const child = start(1);
        try {
          const outcome = await run(child, slot, [file], [position]);
          failure =
            outcome.type === "died"
              ? reasonOf(outcome, limits)
              : at(outcome.failures, 0, "failures");
          if (failure?.kind === "memory") failure = lackOfMemory(failure, child.held, limits);
        } finally {
          child.kill();
        }
        if (failure?.kind !== "passing") break;
      }
      return failure;
    });
    alone = turn.catch(() => undefined);
    return turn;
  };

  /** Files at `positions` of a list; results go to `failures`. */
  const decodeSome = async (
    slot: number,
    files: readonly string[],
    positions: readonly number[],
    failures: (DecodeFailure | null)[],
  ): Promise<void> => {
    let left = positions;
    while (left.length > 0) {
      if (!common?.alive) common = start(threads);
      const outcome = await runList(
        common,
        slot,
        left.map((i) => at(files, i, "files")),
        left,
      );
      if (outcome.type === "done") {
        for (const [j, failure] of outcome.failures.entries())
          failures[at(left, j, "files")] = failure;
        const again = left.filter((i) => isPassing(at(failures, i, "failures")));
        for (const i of again) failures[i] = await decodeAlone(slot, at(files, i, "files"), i);
        return;
      }
      // Died of what another list did to it.
      if (!outcome.underWay) continue;
      const states = layout.states(shared, slot);
      const suspects = new Set(
        outcome.slow?.map((j) => at(left, j, "files")) ??
          left.filter((_, j) => states[j] === BEGUN),
      );
      if (suspects.size === 0) {
        // Ended between two files: half as many are half as likely to be with the one that did it.
        if (left.length === 1) for (const i of left) suspects.add(i);
        else {
          const half = left.length >> 1;
          await decodeSome(slot, files, left.slice(0, half), failures);
          left = left.slice(half);
          continue;
        }
      }
      for (const i of suspects) failures[i] = await decodeAlone(slot, at(files, i, "files"), i);
      left = left.filter((i) => !suspects.has(i));
    }
  };

  let slot = 0;
  let underWay = 0;
  return {
    async decode(files) {
      if (files.length > capacity || underWay === SLOTS)
        throw new InternalError(
          `decoder: ${files.length} files for ${capacity}, ${underWay} calls`,
        );
      const own = slot;
      slot = (slot + 1) % SLOTS;
      underWay++;
      try {
        const failures = files.map((): DecodeFailure | null => null);
        await decodeSome(own, files, [...files.keys()], failures);
        return { pixels: layout.pixels(shared, own), failures };
      } finally {
        underWay--;
      }
    },
    close,
  };
}

function shareMemory(bytes: number): { descriptor: number; shared: Uint8Array } {
  const addon = loadAddon();
  let descriptor: number | undefined;
  try {
    descriptor = addon.createSharedMemory(bytes);
    return { descriptor, shared: addon.mapSharedMemory(descriptor, bytes) };
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw new DataError(
      `decoding images: ${(cause as Error).message}; ${Math.ceil(bytes / 2 ** 20)} MiB are needed: free memory or raise the limit, and run again`,
      { exitCode: 1, cause },
    );
  }
}

const isPassing = (failure: DecodeFailure | null) =>
  failure?.kind === "passing" || failure?.kind === "memory";

/** What a file that a process died of alone has to do with it. */
function reasonOf({ signal, exitCode, slow, said }: Death, limits: DecodeLimits): DecodeFailure {
  if (slow || signal === "SIGXCPU")
    return {
      kind: "limited",
      reason: `took more than ${limits.processorSeconds} s of processor time to decode, which is the limit`,
    };
  if (speaksOfMemory(said)) return { kind: "memory", reason: "not enough memory to decode it" };
  if (CRASHES.has(signal)) return { kind: "limited", reason: `crashes its decoder (${signal})` };
  const end = signal ?? `exit code ${exitCode}`;
  return {
    kind: "passing",
    reason: `the process that decoded it was ended (${end}), perhaps for want of memory`,
  };
}

function lackOfMemory(
  { reason }: DecodeFailure,
  held: boolean,
  { memory }: DecodeLimits,
): DecodeFailure {
  return held
    ? { kind: "limited", reason: `needs more than ${memory} MiB to decode, which is the limit` }
    : { kind: "passing", reason };
}

function cannotStart({ exitCode, signal, said }: Death): Error {
  const end = signal ?? (exitCode === null ? "no process could be made" : `exit code ${exitCode}`);
  const line = said.split("\n").find((text) => /error|memory|cannot/i.test(text));
  const message = `the process that decodes images cannot be started (${end}${line ? `: ${line.trim()}` : ""})`;
  return /^\s*(\w*Error: )?native engine/m.test(said)
    ? new AddonError(message)
    : new DataError(`${message}; nothing was kept: free memory or processes, and run again`, {
        exitCode: 1,
      });
}
