/** @file Right answers as bits, packed and unpacked: apart from their schema, which a page that draws them does not need. */

import { at } from "../../core/at.ts";
import type { RightAnswers } from "./right-answers.ts";

/** Beyond so many images the bits, 22 kB as text, are left out: images then add next to nothing. */
export const MOST_ANSWERS = 131_072;

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
