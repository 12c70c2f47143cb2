/** @file A study as a list shows it, in a terminal or on a page: what it is, how far it came, what was said of it. */

import type { ExperimentRecord } from "./experiment.ts";

/**
 * "running": a process holds it. "failed": a run of it did. "budget-reached": it has spent what it may, and runs are
 * left. "damaged": its records cannot be read.
 */
export const RUN_STATUSES = [
  "running",
  "finished",
  "unfinished",
  "failed",
  "budget-reached",
  "damaged",
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** An arm, and the mean accuracy over its seeds, 0 .. 1. */
export interface LeadingArm {
  readonly arm: string;
  readonly accuracy: number;
}

export interface ListedStudy {
  /** The folder's own name. */
  readonly name: string;
  readonly status: RunStatus;
  /** Why its records cannot be read; null where they can. */
  readonly reason: string | null;
  /** Of a damaged one null, as all that is not about its files. */
  readonly about: {
    readonly kind: ExperimentRecord["kind"];
    /** ISO 8601. */
    readonly created: string;
    readonly dataset: string;
    readonly model: string;
    readonly arms: readonly string[];
    readonly seeds: number;
    readonly epochs: number;
    /** Runs, or seeds of a range test, and those at their end. */
    readonly runs: number;
    readonly done: number;
    /** Of one that is running: an estimate from what its epochs, or its seeds' ramps, took; null before there is one. */
    readonly secondsLeft: number | null;
    /** The arm of the highest mean accuracy after its last epoch; null where nothing was validated, or of a range test. */
    readonly best: LeadingArm | null;
    /** The arm of the highest mean of its seeds' best epochs; null as `best`. */
    readonly bestEpoch: LeadingArm | null;
    /** Of a range test that could say: the constant rate that it suggests, or that was tuned. */
    readonly rate: number | null;
  } | null;
  readonly note: string;
  readonly tags: readonly string[];
  /** Of all its files, and of its weights among them. */
  readonly bytes: number;
  readonly weightBytes: number;
}

/** As a server tells it: by an id that is no path. */
export interface ServedStudy extends ListedStudy {
  readonly id: string;
}
