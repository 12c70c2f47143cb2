/**
 * @file How far a study is, as a state of plain JSON; and what its states share, so that the next one costs the same
 * however many trials there are, and an old one stays what it was.
 */

import type { RangeTestRecord } from "../range-test.ts";
import type { DataEvent, StudyEvent } from "../study-event.ts";
import type { EpochMetrics, TrialRecord } from "../trial.ts";
import { entryOf, plainOf, type SharedRecord, sharedRecord } from "./shared-record.ts";

type EventOf<T extends StudyEvent["type"]> = Extract<StudyEvent, { type: T }>;

/** A trial as its records have it, and what is under way in it. */
export interface TrialProgress {
  readonly trial: TrialRecord;
  readonly metrics: readonly EpochMetrics[];
  /** Its place among the trials of the study, from 0; null for one that never began. */
  readonly index: number | null;
  /** The latest; null before the first one, and once the trial has ended. */
  readonly update: EventOf<"update"> | null;
  /** The epoch that it can be resumed after, and those of the weights that are kept. */
  readonly kept: { readonly [K in "checkpoint" | "best" | "last" | "averaged"]?: number };
}

/** One run of a range test. */
export interface RangeTestRun {
  readonly started: EventOf<"range-test-started">;
  /** The latest; null before the first one. */
  readonly update: EventOf<"range-test-update"> | null;
}

/**
 * Plain JSON, as the events are. What is kept by `subjectKey` is laid out when it is read, which takes as long as there
 * are trials; `trialIn` and `rangeTestRunIn` look one of them up.
 */
export interface StudyProgress {
  /** What is counted beside the training; null where nothing is, all of it is done, or training began. */
  readonly data: DataEvent | null;
  /** By `subjectKey`. */
  readonly rangeTestRuns: Readonly<Record<string, RangeTestRun>>;
  /** Those that are finished, by arm. */
  readonly rangeTests: Readonly<Record<string, RangeTestRecord>>;
  /** By `subjectKey`. */
  readonly trials: Readonly<Record<string, TrialProgress>>;
  /** By `subjectKey`. */
  readonly warnings: Readonly<Record<string, readonly string[]>>;
  /** Trials of the study; 0 before the first one starts. */
  readonly planned: number;
  /** `subjectKey` of whose update was the latest; null where it has ended since. */
  readonly latest: { readonly kind: "trial" | "range-test"; readonly key: string } | null;
}

/** Before the first event. */
export const NO_PROGRESS: StudyProgress = {
  data: null,
  rangeTestRuns: {},
  rangeTests: {},
  trials: {},
  warnings: {},
  planned: 0,
  latest: null,
};

/** The name of a trial, or of a run of a range test, in a state. */
export const subjectKey = ({ arm, seed }: { readonly arm: string; readonly seed: number }) =>
  `${arm} ${seed}`;

/** What states have in common, of those that `progress` has made. */
export interface Tables {
  readonly rangeTestRuns: SharedRecord<RangeTestRun>;
  readonly trials: SharedRecord<TrialProgress>;
  readonly warnings: SharedRecord<readonly string[]>;
  /** Those of which a trial has begun, in the order in which their first ones did. */
  readonly arms: readonly string[];
}

const known = new WeakMap<StudyProgress, Tables>();

/** Of a state that came from elsewhere, they are made. */
export const tablesOf = (state: StudyProgress): Tables =>
  known.get(state) ?? {
    rangeTestRuns: sharedRecord(Object.entries(state.rangeTestRuns)),
    trials: sharedRecord(Object.entries(state.trials)),
    warnings: sharedRecord(Object.entries(state.warnings)),
    arms: armsIn(Object.values(state.trials)),
  };

const armsIn = (trials: readonly TrialProgress[]): string[] => [
  ...new Set(trials.filter(({ index }) => index !== null).map(({ trial }) => trial.arm)),
];

export type Changes = Partial<
  Pick<StudyProgress, "data" | "rangeTests" | "planned" | "latest"> & Tables
>;

/** The state with some of it changed. */
export function changedTo(state: StudyProgress, changes: Changes): StudyProgress {
  const before = tablesOf(state);
  const {
    rangeTestRuns = before.rangeTestRuns,
    trials = before.trials,
    warnings = before.warnings,
    arms = before.arms,
    data = state.data,
    rangeTests = state.rangeTests,
    planned = state.planned,
    latest = state.latest,
  } = changes;
  const after: StudyProgress = {
    data,
    get rangeTestRuns() {
      return plainOf(rangeTestRuns);
    },
    rangeTests,
    get trials() {
      return plainOf(trials);
    },
    get warnings() {
      return plainOf(warnings);
    },
    planned,
    latest,
  };
  known.set(after, { rangeTestRuns, trials, warnings, arms });
  return after;
}

/** One trial of a state, by `subjectKey`. */
export const trialIn = (state: StudyProgress, key: string): TrialProgress | undefined => {
  const tables = known.get(state);
  return tables ? entryOf(tables.trials, key) : state.trials[key];
};

/** One run of a range test, by `subjectKey`. */
export const rangeTestRunIn = (state: StudyProgress, key: string): RangeTestRun | undefined => {
  const tables = known.get(state);
  return tables ? entryOf(tables.rangeTestRuns, key) : state.rangeTestRuns[key];
};

/** The arms of which a trial has begun: the same array as long as they are the same. */
export const armsBegun = (state: StudyProgress): readonly string[] =>
  known.get(state)?.arms ?? armsIn(Object.values(state.trials));
