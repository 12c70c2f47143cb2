/**
 * @file What reading a file of weights may cost. A file comes from anywhere; whatever it claims, reading
 * takes memory of at most twice the larger of the file and the values that it holds, and 256 MiB besides
 * (names, shapes, pickled objects, headers), and time in proportion to the file. What would take more is refused.
 */

import { visibleLine } from "../core/visible.ts";

/** The largest networks in use have some thousands. */
export const MAXIMUM_TENSORS = 100_000;

/** As many as PyTorch and NumPy allow. */
export const MAXIMUM_DIMENSIONS = 64;

/** What pickles may build, by an estimate in bytes. A state_dict of a thousand tensors takes three MiB. */
export const MAXIMUM_PICKLED_BYTES = 64 * 2 ** 20;

/** Text that describes tensors: the header of a safetensors file. */
export const MAXIMUM_HEADER_BYTES = 32 * 2 ** 20;

/**
 * An archive's members may unpack to so many times its size, or to UNPACKED_FREELY bytes where that is more.
 * Weights shrink by a tenth, half of them zeros to a third; thousandfold is what bombs do.
 */
export const MAXIMUM_EXPANSION = 8;
export const UNPACKED_FREELY = 64 * 2 ** 20;

/**
 * Text out of a file as messages show it: of bounded length, and without characters that would control a
 * terminal.
 */
export function shownText(text: string, length = 300): string {
  const start = text.length > length ? `${text.slice(0, length)}...` : text;
  return visibleLine(start).replace(/\p{Cs}/gu, "\\ufffd");
}

/** A name out of a file, quoted. */
export const shownName = (name: string): string => `"${shownText(name, 120)}"`;
