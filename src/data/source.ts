/** @file What every source of images is, whatever it reads. */

import { InterruptedError } from "../core/errors.ts";
import type { DataEvent } from "../record/index.ts";
import type { AugmentationName } from "./types.ts";

export interface DecodeSettings {
  /** Pixels of the square that images are cut to. */
  readonly size: number;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/** An item that cannot be used; `position` counts within the items that were asked for. */
export interface BrokenItem {
  readonly position: number;
  /** Relative to the source. */
  readonly file: string;
  readonly reason: string;
  /**
   * Where it is no fact of the file's bytes alone: the limits and decoders of the verdict
   * (decode-limits.ts). Under others the file is decoded anew.
   */
  readonly under?: string | undefined;
}

/** Some of the items, decoded. The pixels are valid until the next chunk is asked for. */
export interface DecodedChunk {
  /** (n, size, size, channels) u8: the usable ones, in order, without gaps. */
  readonly pixels: Uint8Array;
  readonly broken: readonly BrokenItem[];
  /** Items done so far, usable or not. */
  readonly done: number;
}

export const TRAIN = 0;
export const VALIDATION = 1;
export const TEST = 2;

/** Images before decoding: what there is, of which class, and how to get at it. */
export interface Source {
  /** The folder's own name or the source's name; never a path. */
  readonly name: string;
  readonly classes: readonly string[];
  readonly channels: 1 | 3;
  readonly defaultSize: number;
  readonly augmentation: AugmentationName;
  /** Class of each item. */
  readonly labels: Int32Array;
  /** TRAIN, VALIDATION or TEST for each item, where the source brings its own parts. */
  readonly parts: Uint8Array | null;
  /** Part of every fingerprint: raised when the same files become other pixels. Default 1. */
  readonly decoding?: number;
  /** SHA-256 over names, sizes and contents of the items. */
  fingerprint(items: Int32Array, signal?: AbortSignal): Promise<string>;
  /** What tells whether two items are the same bytes, once both are part of a fingerprint; of files alone. */
  contentOf?(item: number): string | undefined;
  /** Of files: whether an item holds several pictures, of which the first is taken; once it is part of a fingerprint. */
  holdsSeveral?(item: number): boolean;
  /** Of files: what people call an item, relative to the source. */
  fileOf?(item: number): string;
  /** Of files: where an item lies, as functions of files/file-names.ts take it. */
  pathOf?(item: number): string;
  decode(items: Int32Array, settings: DecodeSettings): AsyncGenerator<DecodedChunk>;
}

/** How a source is opened. */
export interface SourceContext {
  /** Where downloads and decoded images are kept. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DataEvent) => void) | undefined;
  /**
   * Put in place of the scheme and host of every download, for tests: "http://127.0.0.1:1234".
   * No option of the command line or of openDataset leads here.
   */
  readonly baseUrl?: string | undefined;
  /** Class folders that a folder must have; default 2, as a network of one class learns nothing. */
  readonly leastClasses?: number | undefined;
}

/** @throws InterruptedError once the signal has fired */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError();
}
