/**
 * @file What native/binding/images.cc exports, as it is. Pixels are 8-bit, interleaved: (height, width,
 * channels). What works off the JavaScript thread returns a promise and keeps the typed arrays that
 * it was given alive until then; the caller leaves them alone meanwhile.
 */

/** Outcome of one file in `decodeFiles`, 0 where it is decoded: damaged or refused; the reason says why. */
export const BROKEN = 1;
/** No JPEG, or one that libjpeg-turbo leaves to others (CMYK, odd markers). */
export const LEFT_TO_OTHERS = 2;
/** Not decoded for a reason that may pass: no memory, no descriptor, a bad disk. */
export const FAILED = 3;

export interface DecodeResult {
  /** 0, BROKEN, LEFT_TO_OTHERS or FAILED for each file. */
  readonly status: Uint8Array;
  /** "" where decoded. */
  readonly reasons: string[];
}

export interface RawImage {
  readonly width: number;
  readonly height: number;
  /** 1 or 3. */
  readonly channels: number;
}

/** Images of equal shape in one block of memory: IDX and CIFAR files. */
export interface PackedImages extends RawImage {
  /** Byte of the first image's first pixel. */
  readonly base: number;
  /** Bytes from one image to the next. */
  readonly stride: number;
  /** true: (channels, height, width), as CIFAR; false: interleaved. */
  readonly planar: boolean;
}

export interface WorkingShape {
  /** Pixels of the square that images are cut to. */
  readonly size: number;
  /** 1 (luma) or 3. */
  readonly channels: number;
}

/** A mapped cache file; opaque. */
export interface NativeCache {
  readonly __cache: unique symbol;
}

/** A loader with a thread of its own; opaque. */
export interface NativeLoader {
  readonly __loader: unique symbol;
}

export interface LoaderOptions {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Class of each image of the cache. */
  readonly labels: Int32Array;
  readonly augmentation: "photos" | "digits" | "none";
}

export interface ImagesAddon {
  /**
   * Decode JPEGs to the working shape, image i to pixels[i * size * size * channels], on `threads`
   * threads, by their paths: EXIF orientation, shorter side to size (triangle filter), centre crop. `states`, a byte a
   * file, is 1 where a file is begun, 2 where it is done: in memory of mapSharedMemory at once, elsewhere in
   * the end.
   */
  decodeFiles(
    files: readonly (string | Buffer)[],
    pixels: Uint8Array,
    options: WorkingShape & { readonly threads: number },
    states?: Uint8Array,
  ): Promise<DecodeResult>;
  /** Resample one image that something else decoded. */
  resampleImage(
    source: Uint8Array,
    shape: RawImage,
    target: Uint8Array,
    options: WorkingShape,
  ): Promise<void>;
  /** Copy (and resample, where the size differs) the numbered images of a block. */
  packImages(
    source: Uint8Array,
    shape: PackedImages,
    indices: Int32Array,
    target: Uint8Array,
    options: WorkingShape & { readonly threads: number },
  ): Promise<void>;
  /** Images first .. first + count - 1 of the synthetic source, image i of class labels[i]. */
  synthesiseImages(
    target: Uint8Array,
    labels: Int32Array,
    options: { readonly size: number; readonly first: number; readonly seed: number },
  ): void;
  /** Map a file: `count` images of the working shape from byte `offset` on. */
  openCache(
    file: string,
    options: WorkingShape & { readonly offset: number; readonly count: number },
  ): NativeCache;
  closeCache(cache: NativeCache): void;
  /** CRC-32C of bytes that follow others whose checksum is `previous`; 0: that follow nothing. */
  crc32c(bytes: Uint8Array, previous: number): number;
  /**
   * The first block of a cache's images that cannot be read, or whose CRC-32C is not the one given; -1:
   * none. `checksums` are those of the blocks from `first` on, the last block of all being what is left.
   */
  damagedBlock(
    cache: NativeCache,
    checksums: Uint32Array,
    options: { readonly first: number; readonly blockBytes: number; readonly threads: number },
  ): Promise<number>;
  /** Mean and population standard deviation per channel of pixel / 255 over some images; exact sums. */
  pixelStatistics(
    cache: NativeCache,
    indices: Int32Array,
    threads: number,
  ): Promise<{ mean: number[]; std: number[] }>;
  createLoader(cache: NativeCache, options: LoaderOptions): NativeLoader;
  /** Write a batch on the loader's thread; `augment` null: as stored. */
  fillBatch(
    loader: NativeLoader,
    images: Float32Array,
    labels: Int32Array,
    indices: Int32Array,
    augment: { readonly seed: number; readonly epoch: number } | null,
  ): Promise<void>;
  /** One image, 8-bit interleaved, as stored or as augmented. */
  loaderImage(
    loader: NativeLoader,
    index: number,
    augment: { readonly seed: number; readonly epoch: number } | null,
  ): Uint8Array;
  /** Ends the thread after the batch under way; batches still waiting are rejected. */
  closeLoader(loader: NativeLoader): void;
  /** (x / 255 - mean) / std of interleaved images into (B,C,size,size), from image `first` on. */
  normaliseImages(
    pixels: Uint8Array,
    images: Float32Array,
    options: WorkingShape & {
      readonly first: number;
      readonly mean: readonly number[];
      readonly std: readonly number[];
    },
  ): void;
  /**
   * The warp of the augmentation alone, values in 0 .. 255, (C,size,size): output pixel (x, y) is
   * the bilinear sample of the source at matrix (a, b, c, d, e, f) applied to its centre,
   * (a (x + .5) + b (y + .5) + c, d (x + .5) + e (y + .5) + f), edges reflected.
   */
  warpImage(pixels: Uint8Array, options: WorkingShape, matrix: readonly number[]): Float32Array;
}
