/** @file What the data room hands to the lab. */

import type { DataEvent, DatasetRecord } from "../record/index.ts";
import type { CopyChoice } from "./copies.ts";

/** "photos": flip, rotation, crop. "digits": rotation only. "none". */
export type AugmentationName = "photos" | "digits" | "none";

export interface FillOptions {
  /** (B,C,size,size) f32, plain order; the first `indices.length` images are written, normalised. */
  readonly images: Float32Array;
  /** (B) i32; entries past `indices.length` are set to -1. */
  readonly labels: Int32Array;
  /** Image numbers within the data set. */
  readonly indices: Int32Array;
  /** undefined: no augmentation (validation, prediction). */
  readonly augment?: { readonly seed: number; readonly epoch: number };
}

/** A decoded, split and mapped data set. */
export interface Dataset {
  readonly record: DatasetRecord;
  readonly classes: readonly string[];
  readonly channels: number;
  readonly size: number;
  /** Class of each image. */
  readonly labels: Int32Array;
  /** Image numbers of each part. */
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** Scored once, at the end of a trial; empty unless asked for. */
  readonly test: Int32Array;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly augmentation: AugmentationName;
  /** How the images were decoded, for predict to do the same: e.g. { size, channels, resize: "cover" }. */
  readonly preprocessing: Readonly<Record<string, string | number>>;
  /**
   * Write a batch on the loader's own thread. One at a time is enough: call for batch n + 1 before
   * awaiting the step of batch n. A session's own slots are written in place; other arrays when the
   * batch is whole, and must not be transferred or resized before that.
   * @throws ArgumentError for an array of another type, too short, without memory, or overlapping
   * @throws AddonError where an array lost its memory meanwhile, or the data set is closed
   */
  fill(options: FillOptions): Promise<void>;
  /** How another process of this machine opens it again; absent where its images are in no file. */
  readonly again?: OpenedAlready;
  /** One image as 8-bit PNG bytes, as stored or as augmented: for the report. */
  png(index: number, augment?: { seed: number; epoch: number }): Promise<Uint8Array>;
  close(): void;
}

/**
 * A data set that was opened, as plain data: a process that has it neither lists nor hashes the source again.
 * What it says was true when the data set was opened, and stays so for all trials of a study.
 */
export interface OpenedAlready {
  /** The decoded images, and what that file says that it holds. */
  readonly file: string;
  readonly key: {
    readonly fingerprint: string;
    readonly size: number;
    readonly channels: number;
    readonly items: number;
  };
  readonly record: DatasetRecord;
  readonly labels: readonly number[];
  readonly parts: Readonly<Record<"train" | "validation" | "test", readonly number[]>>;
  readonly augmentation: AugmentationName;
}

/** How a source is opened; all have defaults. */
export interface OpenOptions {
  /** Pixels; default 128 (28 for the MNIST family, 32 for CIFAR-10). */
  readonly size?: number;
  /** Fraction of each class; default 0.2. Ignored where the source brings its own parts. */
  readonly validation?: number;
  /**
   * Fraction of each class that is kept untouched for a test at the end of a trial; default none. Of a
   * source that brings its own parts it is taken from what would train.
   */
  readonly test?: number;
  readonly splitSeed?: number;
  /** Images a class, at most (drawn by splitSeed). */
  readonly limit?: number;
  /**
   * Files that are the same bytes: "keep" (the default) counts them as any other, and the record names them;
   * "leave-out" takes one of each, and none where they are in two classes.
   */
  readonly copies?: CopyChoice;
  readonly augment?: "default" | "none";
  /** By channel, of pixels in 0 .. 1; default: the training split's own mean and deviation. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Where decoded caches and downloads go; default $LRSCOPE_CACHE, else the user's cache folder. */
  readonly cacheDir?: string;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: DataEvent) => void;
}

/** One image of the user's, decoded as the training images were: for predict. */
export type DecodeForPrediction = (
  files: readonly string[],
  preprocessing: Readonly<Record<string, string | number>>,
) => Promise<{ file: string; pixels: Uint8Array | null; reason: string | null }[]>;
