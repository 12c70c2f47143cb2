/** @file What there is to choose from, in the order of the buttons; the first of each is chosen where nothing is. */

/** The horizontal axes, in the order of a live plot's. */
export const ACROSS = ["epoch", "second", "update"] as const;
/** Bands over the seeds. */
export const BANDS = ["range", "interval", "sd", "none"] as const;
/** Vertical axes of losses. */
export const VERTICALS = ["linear", "log", "whole"] as const;
/** Accuracies that arms are compared by. */
export const RANKS = ["last", "best"] as const;
/** What stands behind a mean in tables. */
export const SPREADS = ["interval", "sd", "range"] as const;
