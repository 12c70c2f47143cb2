/**
 * @file How much may be asked for: where more than this is asked, memory or patience would end before the
 * work does, so it is refused by name. Chosen far above what anybody has needed.
 */

/** Runs of one experiment, arms times seeds: each is planned, and has a folder. */
export const MOST_TRIALS = 100_000;

/** Arms of one comparison. */
export const MOST_ARMS = 1_000;

/** Seeds of one arm, of a range test, or of a search. */
export const MOST_SEEDS = 10_000;

/** Multiples of an arm's rate in a sensitivity analysis. */
export const MOST_MULTIPLES = 1_001;

/** Threads of the engine, and cores of a machine. */
export const MOST_THREADS = 1_024;

/** Images of a batch, and of a benchmark. */
export const MOST_IMAGES = 1_000_000;

/** Pixels to a side of images that are planned for; those that are decoded have a lower limit of their own. */
export const MOST_PIXELS = 4_096;

/** Outputs of a network. */
export const MOST_CLASSES = 100_000;

/** Repetitions of what a benchmark measures: each is kept. */
export const MOST_REPETITIONS = 100_000;

/** Augmented views of each image in a feature cache. */
export const MOST_VIEWS = 1_000;

/** Values in a list on the command line: accuracies to time arms to, unfreezings, scales. */
export const MOST_LISTED = 1_000;
