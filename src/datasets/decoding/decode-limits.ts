/**
 * @file What one image file may ask for while it is decoded. A file of a few hundred kilobytes can claim
 * any number of pixels, and keep a decoder busy for hours.
 */

import { createRequire } from "node:module";

/** Above this many pixels (width times height) a file is refused, before anything is decoded. */
export const MOST_PIXELS = 100e6;
/**
 * Above this many pixels a side a file is refused too: JPEG's own limit, for every format. Decoders work
 * by lines and tiles, and a picture of a hundred million lines of one pixel costs them minutes.
 */
export const MOST_SIDE = 65_535;

/** What the decoding process is held to, for each file. */
export interface DecodeLimits {
  /**
   * Processor time, in seconds, of all threads together: a machine that is busy makes no photo broken.
   * The largest photos that are taken need one or two.
   */
  readonly processorSeconds: number;
  /**
   * MiB beyond what the process has before; where the system can hold a process to it (Linux). The
   * largest photos that are taken need less than 1024.
   */
  readonly memory: number;
}

export const DECODE_LIMITS: DecodeLimits = { processorSeconds: 30, memory: 2048 };

/**
 * What a verdict depends on that is not a file's bytes: the limits, and the decoders that were stopped or
 * crashed, as far as their versions are this package's to choose. A verdict that was kept under others is
 * not believed.
 */
export function decodingConditions(limits = DECODE_LIMITS): string {
  const { version, dependencies } = createRequire(import.meta.url)("../../../package.json") as {
    version: string;
    dependencies: Record<string, string>;
  };
  const { processorSeconds, memory } = limits;
  return `${processorSeconds} s, ${memory} MiB, lrscope ${version}, sharp ${dependencies.sharp}`;
}
