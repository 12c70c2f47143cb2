/** @file A study as this page knows it: what the messages about it add up to. */

import type { ExperimentRecord, StudyEvent, TrialHistory } from "../src/record/index.ts";
import { NO_PROGRESS, progress, type StudyProgress } from "../src/record/progress.ts";

/** One message of the stream. */
export interface StudyMessage {
  readonly study: string;
  /** Cursors before and after it; "": it begins anew. */
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly experiment?: ExperimentRecord;
  readonly events: readonly StudyEvent[];
  readonly problem?: string;
}

export interface FollowedStudy {
  readonly id: string;
  /** Absent before the first message. */
  readonly experiment: ExperimentRecord | null;
  readonly progress: StudyProgress;
  /** "running" while a process is at work in it. */
  readonly state: string;
  readonly problem: string | null;
}

export const unheard = (id: string): FollowedStudy => ({
  ...{ id, experiment: null, progress: NO_PROGRESS, state: "", problem: null },
});

/** The study after a message. */
export const heard = (study: FollowedStudy, message: StudyMessage): FollowedStudy => ({
  id: study.id,
  experiment: message.experiment ?? study.experiment,
  progress: message.events.reduce(progress, message.from === "" ? NO_PROGRESS : study.progress),
  state: message.state,
  problem: message.problem ?? null,
});

/** Its trials in the order of arms and seeds. */
export const trialsOf = ({ progress, experiment }: FollowedStudy): TrialHistory[] => {
  const place = new Map((experiment?.arms ?? []).map(({ name }, i) => [name, i]));
  const at = ({ trial }: TrialHistory) => place.get(trial.arm) ?? place.size;
  return Object.values(progress.trials)
    .map(({ trial, metrics }) => ({ trial, metrics }))
    .sort((a, b) => at(a) - at(b) || a.trial.seed - b.trial.seed);
};
