/**
 * @file How far a study is, from its events alone: one pure step from state to state. Terminal, log and
 * page show this state, and none of them keeps another.
 */

import type { RangeTestRecord } from "./range-test.ts";
import type { DataEvent, StudyEvent } from "./study-event.ts";
import type { EpochMetrics, TrialRecord } from "./trial.ts";

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

/** Plain JSON, as the events are. */
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

/**
 * The state after an event. Events of one trial come in their order; those of several may come interleaved
 * in any way: once all have ended, the state is the same. What is told once, and is not of how far the study is,
 * leaves it as it was.
 */
export function progress(state: StudyProgress, event: StudyEvent): StudyProgress {
  switch (event.type) {
    case "data":
      return { ...state, data: event.done === event.total ? null : event };
    case "range-test-started":
      return withRun({ ...state, data: null }, event, { started: event, update: null });
    case "range-test-update": {
      const run = state.rangeTestRuns[subjectKey(event)];
      if (!run) return state;
      const latest = { kind: "range-test", key: subjectKey(event) } as const;
      return { ...withRun(state, event, { ...run, update: event }), latest };
    }
    case "range-test-finished": {
      const { latest, rangeTestRuns } = state;
      const ended =
        latest?.kind === "range-test" && rangeTestRuns[latest.key]?.started.arm === event.arm;
      return {
        ...state,
        rangeTests: { ...state.rangeTests, [event.arm]: event.record },
        latest: ended ? null : latest,
      };
    }
    case "range-test-search":
    case "range-test-run":
    case "plan":
    case "dataset":
    case "broken-files":
    case "pretrained":
    case "frozen":
    case "features":
    case "tuning":
    case "tuning-detail":
    case "tuned":
    case "recording":
    case "planned":
    case "damaged-weights":
    case "interrupted":
    case "resuming":
    case "finished-already":
    case "not-made-again":
    case "other-processor":
    case "other-version":
    case "steered":
    case "executor":
    case "rung":
    case "budget-reached":
      return state;
    case "trial-started": {
      const { trial, metrics, index, trials } = event;
      const begun = withTrial(state, trial, { trial, metrics, index, update: null, kept: {} });
      return { ...begun, planned: trials, data: null };
    }
    case "update": {
      const latest = { kind: "trial", key: subjectKey(event) } as const;
      const after = changed(state, event, () => ({ update: event }));
      return after === state ? state : { ...after, latest };
    }
    case "epoch":
      return changed(state, event, ({ metrics }) => ({
        metrics: [...metrics.filter(({ epoch }) => epoch < event.metrics.epoch), event.metrics],
      }));
    case "warning": {
      const key = subjectKey(event);
      const warnings = [...(state.warnings[key] ?? []), event.message];
      return { ...state, warnings: { ...state.warnings, [key]: warnings } };
    }
    case "weights":
      return changed(state, event, ({ kept }) => ({
        kept: { ...kept, [event.which]: event.epoch },
      }));
    case "checkpoint":
      return changed(state, event, ({ kept }) => ({ kept: { ...kept, checkpoint: event.epoch } }));
    case "trial-finished": {
      const { trial } = event;
      const key = subjectKey(trial);
      const before = state.trials[key] ?? { metrics: [], index: null, kept: {} };
      const { latest } = state;
      return {
        ...withTrial(state, trial, { ...before, trial, update: null }),
        latest: latest?.kind === "trial" && latest.key === key ? null : latest,
      };
    }
    default:
      return event satisfies never;
  }
}

type Subject = { readonly arm: string; readonly seed: number };

const withRun = (state: StudyProgress, of: Subject, run: RangeTestRun): StudyProgress => ({
  ...state,
  rangeTestRuns: { ...state.rangeTestRuns, [subjectKey(of)]: run },
});

const withTrial = (state: StudyProgress, of: Subject, trial: TrialProgress): StudyProgress => ({
  ...state,
  trials: { ...state.trials, [subjectKey(of)]: trial },
});

/** A listener that came late hears of trials whose start it has not heard: it learns of them when they end. */
function changed(
  state: StudyProgress,
  of: Subject,
  change: (trial: TrialProgress) => Partial<TrialProgress>,
): StudyProgress {
  const trial = state.trials[subjectKey(of)];
  return trial ? withTrial(state, of, { ...trial, ...change(trial) }) : state;
}

/**
 * What of the study's trials is done, in trials. They start in the order of their places: those before the
 * last one that did, and of which nothing was heard, had ended earlier.
 */
export function trialsDone({ trials }: StudyProgress): number {
  const heard = Object.values(trials).filter(({ index }) => index !== null);
  const started = heard.reduce((most, { index }) => Math.max(most, (index ?? -1) + 1), 0);
  const parts = heard.reduce((sum, trial) => sum + partOf(trial), 0);
  return started - heard.length + parts;
}

const partOf = ({ trial, metrics, update }: TrialProgress): number =>
  trial.status === "paused"
    ? metrics.length / trial.epochs
    : trial.status !== "running"
      ? 1
      : update === null
        ? 0
        : update.update / update.updates;

/** Of all trials under way. */
export const imagesPerSecond = ({ trials }: StudyProgress): number =>
  Object.values(trials).reduce((sum, { update }) => sum + (update?.imagesPerSecond ?? 0), 0);
