/** @file What a decoding process and its parent say to each other. Pixels go through shared memory. */

import type { WorkingShape } from "../../engine/native/addon/index.ts";
import type { DecodeFailure } from "./decode.ts";
import type { DecodeLimits } from "./decode-limits.ts";

/** Descriptor by which the process inherits the memory that it shares with its parent. */
export const SHARED_DESCRIPTOR = 4;

/** Places in the shared memory where one list of files is decoded while another is read. */
export const SLOTS = 2;

/** Of a process, for as long as it lives. */
export interface DecoderSettings extends WorkingShape {
  readonly threads: number;
  /** Files of one task at most. */
  readonly capacity: number;
  readonly limits: DecodeLimits;
}

/** Files to decode, file j to place positions[j] of the slot. */
export interface DecodeTask {
  readonly files: readonly string[];
  readonly positions: readonly number[];
  readonly slot: number;
}

export type ToDecoder =
  | { readonly type: "start"; readonly settings: DecoderSettings }
  | { readonly type: "decode"; readonly task: DecodeTask };

export type FromDecoder =
  /** `held`: to the limit of memory, of which all can be had; so that a lack of it is the file's fault. */
  | { readonly type: "ready"; readonly held: boolean }
  /** The oldest task is done. */
  | { readonly type: "done"; readonly failures: readonly (DecodeFailure | null)[] }
  /** Files of the oldest task, by place in its list, that went beyond the limit of processor time. */
  | { readonly type: "slow"; readonly files: readonly number[] };

/** Where things lie in the shared memory: states of all slots, then pixels of all slots. */
export function sharedLayout({ size, channels, capacity }: DecoderSettings) {
  const bytes = size * size * channels;
  // A page boundary.
  const pixelsAt = Math.ceil((SLOTS * capacity) / 4096) * 4096;
  return {
    bytes: pixelsAt + SLOTS * capacity * bytes,
    states: (shared: Uint8Array, slot: number) =>
      shared.subarray(slot * capacity, (slot + 1) * capacity),
    pixels: (shared: Uint8Array, slot: number) => {
      const at = pixelsAt + slot * capacity * bytes;
      return shared.subarray(at, at + capacity * bytes);
    },
  };
}
