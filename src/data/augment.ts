/**
 * @file Augmentation of one image: what is drawn, the affine map that it makes, the warp and the colours.
 * native/augment.cc does the same in C++: the draws come from one stream, and every float32 operation is
 * rounded here as there, so the two differ only where sine, logarithm or exponential are rounded differently.
 */

import { philox } from "../core/philox.ts";
import { STREAMS } from "../core/random.ts";
import type { Normalization } from "./normalise.ts";
import type { AugmentationName } from "./types.ts";

const { fround } = Math;

/** What chance decides about one image. Fields at their neutral values change nothing. */
export interface Draws {
  readonly flip: boolean;
  /** Radians; the content turns counter-clockwise. */
  readonly angle: number;
  /** Of the crop, as parts of the image; `left` and `top` are its corner, likewise. */
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  /** Factor on every value. */
  readonly brightness: number;
  /** Factor on the distance from the training set's mean. */
  readonly contrast: number;
}

/** What each kind does to an image in training, for people; a kind that is not known is named. */
export const augmentationWords = (kind: string): string =>
  Object.hasOwn(WORDS, kind) ? WORDS[kind as AugmentationName] : kind;

const WORDS: Readonly<Record<AugmentationName, string>> = {
  photos:
    "photos: flipped or not, turned by up to 15 degrees, cropped to 70 to 100% of the area, brightness and contrast changed by up to 10%",
  digits: "digits: turned by up to 15 degrees",
  none: "none",
};

const NEUTRAL: Draws = {
  flip: false,
  angle: 0,
  width: 1,
  height: 1,
  left: 0,
  top: 0,
  brightness: 1,
  contrast: 1,
};

export interface EpochKey {
  readonly seed: number;
  readonly epoch: number;
}

/**
 * Pure function of kind, seed, epoch and image. Draw 0: flip (p 0.5), angle (+-15 degrees), area (0.7 to 1),
 * aspect (log-uniform in 3/4 to 4/3, narrowed to where a crop of that area fits the image). Draw 1: place of
 * the crop, brightness and contrast (0.9 to 1.1 each). Digits take the angle only.
 */
export function drawAugmentation(
  kind: AugmentationName,
  { seed, epoch }: EpochKey,
  image: number,
): Draws {
  if (kind === "none") return NEUTRAL;
  const draw = (index: number) =>
    philox([index, epoch >>> 0, image >>> 0, 0], seed >>> 0, STREAMS.augmentation).map(
      (word) => word / 0x1_0000_0000,
    ) as [number, number, number, number];
  const first = draw(0);
  const angle = ((2 * first[1] - 1) * 15 * Math.PI) / 180;
  if (kind === "digits") return { ...NEUTRAL, angle };
  const second = draw(1);
  const area = 0.7 + 0.3 * first[2];
  const low = Math.log(Math.max(3 / 4, area));
  const high = Math.log(Math.min(4 / 3, 1 / area));
  const aspect = Math.exp(low + (high - low) * first[3]);
  const width = Math.min(1, Math.sqrt(area * aspect));
  const height = Math.min(1, Math.sqrt(area / aspect));
  return {
    flip: first[0] < 0.5,
    angle,
    width,
    height,
    left: (1 - width) * second[0],
    top: (1 - height) * second[1],
    brightness: 0.9 + 0.2 * second[2],
    contrast: 0.9 + 0.2 * second[3],
  };
}

/**
 * Rows of [a b c; d e f]: output (x, y) shows the source at (a x + b y + c, d x + e y + f), pixels being unit
 * squares with centres at .5.
 */
export type AffineMap = readonly [number, number, number, number, number, number];

/** Rotation about the centre, then crop, then flip, as one map from output to source. */
export function affineOf(draws: Draws, size: number): AffineMap {
  const { flip, width, height, left, top, angle } = draws;
  const sx = flip ? -width : width;
  const tx = (flip ? left + width : left) * size;
  const sy = height;
  const ty = top * size;
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const centre = size / 2;
  return [
    cosine * sx,
    -sine * sy,
    centre + cosine * (tx - centre) - sine * (ty - centre),
    sine * sx,
    cosine * sy,
    centre + sine * (tx - centre) + cosine * (ty - centre),
  ];
}

/** Mirror about the edges: ..., 1, 0 | 0, 1, ..., n-1 | n-1, n-2, ... */
function reflect(i: number, n: number): number {
  const positive = i < 0 ? -1 - i : i;
  const within = positive >= n ? 2 * n - 1 - positive : positive;
  return Math.min(Math.max(within, 0), n - 1);
}

/** One axis of a row's sampling positions: taps by offset into the pixels, and the part of the upper one. */
class Axis {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly fraction: Float32Array;

  constructor(size: number) {
    this.low = new Int32Array(size);
    this.high = new Int32Array(size);
    this.fraction = new Float32Array(size);
  }

  /** position = start + step x; clamped to as far as one reflection reaches. */
  place(start: number, step: number, stride: number): void {
    const n = this.low.length;
    for (let x = 0; x < n; x++) {
      const at = Math.min(Math.max(start + step * x, -n), 2 * n - 2);
      const whole = Math.floor(at);
      this.fraction[x] = at - whole;
      this.low[x] = reflect(whole, n) * stride;
      this.high[x] = reflect(whole + 1, n) * stride;
    }
  }
}

/** Bilinear samples of an image; outside it, its mirror image is seen. */
export class Warper {
  readonly size: number;
  readonly channels: number;
  private readonly x: Axis;
  private readonly y: Axis;
  private readonly planes: Float32Array;

  constructor(size: number, channels: number) {
    this.size = size;
    this.channels = channels;
    this.x = new Axis(size);
    this.y = new Axis(size);
    this.planes = new Float32Array(size * channels);
  }

  /** Row y of the warped image, one plane of `size` values in 0 .. 255 a channel; valid until the next. */
  row(pixels: Uint8Array, m: AffineMap, y: number): Float32Array {
    const { size, channels, planes } = this;
    const v = y + 0.5;
    this.x.place(m[0] * 0.5 + m[1] * v + m[2] - 0.5, m[0], channels);
    this.y.place(m[3] * 0.5 + m[4] * v + m[5] - 0.5, m[3], size * channels);
    const [x0, x1, fx] = [this.x.low, this.x.high, this.x.fraction];
    const [y0, y1, fy] = [this.y.low, this.y.high, this.y.fraction];
    for (let c = 0; c < channels; c++)
      for (let x = 0; x < size; x++) {
        const [upperRow, lowerRow] = [y0[x]! + c, y1[x]! + c];
        const [left, right] = [x0[x]!, x1[x]!];
        const v00 = pixels[upperRow + left]!;
        const v10 = pixels[lowerRow + left]!;
        const upper = fround(v00 + fround(fx[x]! * (pixels[upperRow + right]! - v00)));
        const lower = fround(v10 + fround(fx[x]! * (pixels[lowerRow + right]! - v10)));
        planes[c * size + x] = upper + fround(fy[x]! * fround(lower - upper));
      }
    return planes;
  }
}

/** Colours of warped rows: brightness and contrast, then (x / 255 - mean) / std. */
export class RowColours {
  private readonly gain: number;
  private readonly offset: readonly number[];
  private readonly scale: readonly number[];
  private readonly shift: readonly number[];

  constructor({ brightness, contrast }: Draws, { mean, std }: Normalization) {
    this.gain = fround(brightness * contrast);
    this.offset = mean.map((middle) => fround(brightness * (1 - contrast) * 255 * middle));
    this.scale = std.map((deviation) => fround(1 / (255 * deviation)));
    this.shift = std.map((deviation, channel) => fround(-mean[channel]! / deviation));
  }

  /** A value in 0 .. 255 after the colour transform. */
  private coloured(value: number, channel: number): number {
    const moved = fround(fround(value * this.gain) + this.offset[channel]!);
    return Math.min(Math.max(moved, 0), 255);
  }

  /** A row of planes to a row of each plane of an image (channels, size, size), from `at` on. */
  normalised(planes: Float32Array, size: number, into: Float32Array, at: number): void {
    for (const [channel, scale] of this.scale.entries())
      for (let x = 0; x < size; x++)
        into[channel * size * size + at + x] =
          fround(this.coloured(planes[channel * size + x]!, channel) * scale) +
          this.shift[channel]!;
  }

  /** The same row as 8-bit interleaved values, from `at` on. */
  bytes(planes: Float32Array, size: number, into: Uint8Array, at: number): void {
    const channels = this.scale.length;
    for (let channel = 0; channel < channels; channel++)
      for (let x = 0; x < size; x++)
        into[at + x * channels + channel] = fround(
          this.coloured(planes[channel * size + x]!, channel) + 0.5,
        );
  }
}
