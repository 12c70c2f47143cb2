/**
 * @file Which images a trial's last weights answered rightly, one bit an image: what the images of the
 * validation part do to a difference between two arms is estimated from it.
 */

import { z } from "zod";
import { at } from "../core/at.ts";

/** Beyond so many images the bits, 22 kB as text, are left out: images then add next to nothing. */
export const MOST_ANSWERS = 131_072;

/** Base64 with its padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const rightAnswers = z.object({
  formatVersion: z.literal(1),
  /** Whose weights answered: the trial's last. */
  epoch: z.number().int(),
  /** In the validation part. */
  images: z.number().int().positive().max(MOST_ANSWERS),
  /** Base64 of ceil(images / 8) bytes: bit i % 8 (0 the least) of byte floor(i / 8) is image i's, in the part's order. */
  bits: z.string().regex(BASE64),
});
export type RightAnswers = z.infer<typeof rightAnswers>;

/** @param right one an image, 0 or 1; null of none, or of more than 131,072 */
export function packAnswers(right: Uint8Array, epoch: number): RightAnswers | null {
  const images = right.length;
  if (images === 0 || images > MOST_ANSWERS) return null;
  const bytes = new Uint8Array(Math.ceil(images / 8));
  for (let i = 0; i < images; i++)
    if (right[i]) bytes[i >> 3] = at(bytes, i >> 3, "bytes") | (1 << (i & 7));
  return { formatVersion: 1, epoch, images, bits: btoa(String.fromCharCode(...bytes)) };
}

/** One an image, 0 or 1; null where the bits are of another number of images. */
export function unpackAnswers({ images, bits }: RightAnswers): Uint8Array | null {
  const bytes = atob(bits);
  if (bytes.length !== Math.ceil(images / 8)) return null;
  return Uint8Array.from({ length: images }, (_, i) => (bytes.charCodeAt(i >> 3) >> (i & 7)) & 1);
}
