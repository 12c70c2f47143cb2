/**
 * @file How far a study is, from its events alone: one pure step from state to state. Terminal, log and
 * page show this state, and none of them keeps another.
 */

import type { StudyEvent } from "../study-event.ts";
import { entryOf, withEntry } from "./shared-record.ts";
import {
  armsBegun,
  type Changes,
  changedTo,
  type RangeTestRun,
  rangeTestRunIn,
  type StudyProgress,
  subjectKey,
  type TrialProgress,
  tablesOf,
  trialIn,
} from "./study-progress.ts";

/**
 * The state after an event. Events of one trial come in their order; those of several may come interleaved
 * in any way: once all have ended, the state is the same. What is told once, and is not of how far the study is,
 * leaves it as it was.
 */
export function progress(state: StudyProgress, event: StudyEvent): StudyProgress {
  switch (event.type) {
    case "data":
      return changedTo(state, { data: event.done === event.total ? null : event });
    case "range-test-started":
      return withRun(state, event, { started: event, update: null }, { data: null });
    case "range-test-update": {
      const key = subjectKey(event);
      const run = rangeTestRunIn(state, key);
      if (!run) return state;
      return withRun(
        state,
        event,
        { ...run, update: event },
        { latest: { kind: "range-test", key } },
      );
    }
    case "range-test-finished": {
      const { latest } = state;
      const ended =
        latest?.kind === "range-test" &&
        rangeTestRunIn(state, latest.key)?.started.arm === event.arm;
      return changedTo(state, {
        rangeTests: { ...state.rangeTests, [event.arm]: event.record },
        latest: ended ? null : latest,
      });
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
      const before = armsBegun(state);
      const arms = before.includes(trial.arm) ? before : [...before, trial.arm];
      const begun = { trial, metrics, index, update: null, kept: {} };
      return withTrial(state, trial, begun, { planned: trials, data: null, arms });
    }
    case "update": {
      const latest = { kind: "trial", key: subjectKey(event) } as const;
      return changed(state, event, () => ({ update: event }), { latest });
    }
    case "epoch":
      return changed(state, event, ({ metrics }) => ({
        metrics: [...metrics.filter(({ epoch }) => epoch < event.metrics.epoch), event.metrics],
      }));
    case "warning": {
      const { warnings } = tablesOf(state);
      const key = subjectKey(event);
      const all = [...(entryOf(warnings, key) ?? []), event.message];
      return changedTo(state, { warnings: withEntry(warnings, key, all) });
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
      const before = trialIn(state, key) ?? { metrics: [], index: null, kept: {} };
      const { latest } = state;
      return withTrial(
        state,
        trial,
        { ...before, trial, update: null },
        { latest: latest?.kind === "trial" && latest.key === key ? null : latest },
      );
    }
    default:
      return event satisfies never;
  }
}

type Subject = { readonly arm: string; readonly seed: number };

const withRun = (
  state: StudyProgress,
  of: Subject,
  run: RangeTestRun,
  others: Changes,
): StudyProgress =>
  changedTo(state, {
    ...others,
    rangeTestRuns: withEntry(tablesOf(state).rangeTestRuns, subjectKey(of), run),
  });

const withTrial = (
  state: StudyProgress,
  of: Subject,
  trial: TrialProgress,
  others: Changes = {},
): StudyProgress =>
  changedTo(state, {
    ...others,
    trials: withEntry(tablesOf(state).trials, subjectKey(of), trial),
  });

/** A listener that came late hears of trials whose start it has not heard: it learns of them when they end. */
function changed(
  state: StudyProgress,
  of: Subject,
  change: (trial: TrialProgress) => Partial<TrialProgress>,
  others: Changes = {},
): StudyProgress {
  const trial = trialIn(state, subjectKey(of));
  return trial ? withTrial(state, of, { ...trial, ...change(trial) }, others) : state;
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
