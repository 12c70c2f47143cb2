/** @file This package's version, as package.json has it; a test holds the two together. */

export const VERSION = "0.2.0";

/**
 * Versions whose runs this one resumes, as it computes the same bits. Whoever changes a bit takes out the
 * earlier ones, so that their runs are refused by name.
 */
const SAME_BITS: readonly string[] = ["0.1.0", VERSION];

/** Whether a run that another version began ends, in this one, as it would have ended there. */
export const hasSameBits = (version: string): boolean => SAME_BITS.includes(version);
