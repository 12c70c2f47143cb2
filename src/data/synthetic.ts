/**
 * @file Small coloured shapes from random numbers alone. native/cache_synthetic.cc draws the same ones:
 * test/datasets/twins.test.ts holds the two together, byte for byte.
 */

import { at } from "../core/at.ts";
import { philox } from "../core/philox.ts";
import { STREAMS } from "../core/random.ts";

export const SYNTHETIC_CLASSES = ["disc", "square", "ring", "bars"] as const;

/** A class leans towards a colour, without being given away by it. */
const COLOURS = [
  [205, 90, 80],
  [85, 190, 95],
  [90, 110, 210],
  [200, 190, 80],
] as const;

/** Whether a disc, square, ring or bars with half-extent r about the origin cover (x, y). */
function covers(label: number, [x, y]: readonly [number, number], r: number): boolean {
  const distance = Math.sqrt(x * x + y * y);
  const furthest = Math.max(Math.abs(x), Math.abs(y));
  switch (label) {
    case 0:
      return distance < r;
    case 1:
      return furthest < r * 0.85;
    case 2:
      return distance < r && distance > r * 0.6;
    default:
      return furthest < r && (x + r) % (r * 0.8) < r * 0.4;
  }
}

export interface SyntheticImage {
  /** Into SYNTHETIC_CLASSES. */
  readonly label: number;
  /** Number of the image; equal numbers and seeds give equal images. */
  readonly image: number;
  readonly seed: number;
  /** Pixels of a side. */
  readonly size: number;
}

/** (size, size, 3) u8. */
export function syntheticImage({ label, image, seed, size }: SyntheticImage): Uint8Array {
  const draw = (index: number) =>
    philox([index >>> 0, image >>> 0, 0, 0], seed >>> 0, STREAMS.synthetic).map(
      (word) => word / 0x1_0000_0000,
    ) as [number, number, number, number];
  const place = draw(0);
  const shade = draw(1);
  const [cx, cy] = [0.35 + 0.3 * place[0], 0.35 + 0.3 * place[1]];
  const radius = 0.2 + 0.15 * place[2];
  const ground = 50 + 90 * place[3];
  const colour = at(COLOURS, label, "colours").map(
    (value, c) => value + 90 * (at(shade, c, "shade") - 0.5),
  );
  const pixels = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const pixel = y * size + x;
      const noise = draw(2 + pixel);
      const inside = covers(label, [(x + 0.5) / size - cx, (y + 0.5) / size - cy], radius);
      for (let c = 0; c < 3; c++) {
        const value =
          (inside ? at(colour, c, "colour") : ground) + 40 * (at(noise, c, "noise") - 0.5);
        pixels[pixel * 3 + c] = Math.min(Math.max(value + 0.5, 0), 255);
      }
    }
  return pixels;
}

/** Images 0 to count - 1 of the synthetic source, image i of class i mod 4; everyone sees the same ones. */
export function syntheticImages({ count, size }: { count: number; size: number }): {
  /** (count, size, size, 3) u8 */
  images: Uint8Array;
  labels: Int32Array;
  classes: readonly string[];
} {
  const labels = Int32Array.from({ length: count }, (_, i) => i % SYNTHETIC_CLASSES.length);
  const images = new Uint8Array(count * size * size * 3);
  for (const [image, label] of labels.entries())
    images.set(syntheticImage({ label, image, seed: 0, size }), image * size * size * 3);
  return { images, labels, classes: SYNTHETIC_CLASSES };
}
