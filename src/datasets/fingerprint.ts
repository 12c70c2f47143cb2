/** @file What tells data sets apart: the contents of a source's items, how they are decoded, and which are left out. */

import { createHash } from "node:crypto";
import type { Source } from "../data/source.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export interface DecodedAs {
  /** Pixels of the square that images are cut to. */
  readonly size: number;
  /** How the same files become pixels; default as this version does it. */
  readonly version?: number;
}

/**
 * SHA-256, hexadecimal.
 * @param contents the source's own of its items
 */
export const decodedFingerprint = (
  { channels, decoding = 1 }: Source,
  contents: string,
  { size, version = decoding }: DecodedAs,
): string => sha256(JSON.stringify({ version, contents, size, channels }));

/** The images are others, so that records of both are not taken for one data set. */
export const withoutCopies = (fingerprint: string) => sha256(`${fingerprint} without copies`);
