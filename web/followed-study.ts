/** @file A study as this page knows it: what the messages about it add up to. */

import { secondsLeft } from "../src/analysis/time-left.ts";
import type {
  ExperimentRecord,
  RangeTestRecord,
  SteeredEvent,
  StudyEvent,
  TrialHistory,
  WorkersRecord,
} from "../src/record/index.ts";
import { progress } from "../src/record/progress/progress.ts";
import { NO_PROGRESS, type StudyProgress } from "../src/record/progress/study-progress.ts";

/** One message of the stream. */
export interface StudyMessage {
  readonly study: string;
  /** Cursors before and after it; "": it begins anew. */
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly experiment?: ExperimentRecord;
  readonly events: readonly StudyEvent[];
  readonly workers?: WorkersRecord | null;
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
  /** Who works at it, where that is said. */
  readonly workers: WorkersRecord | null;
  /** What was asked of it from outside, oldest first. */
  readonly steered: readonly SteeredEvent[];
}

export const unheard = (id: string): FollowedStudy => ({
  ...{ id, experiment: null, progress: NO_PROGRESS, state: "", problem: null, steered: [] },
  workers: null,
});

/** The study after a message. */
export function heard(study: FollowedStudy, message: StudyMessage): FollowedStudy {
  const { problem = null, events } = message;
  // Where its records cannot be read, what was heard of it stays.
  const isAnew = message.from === "" && problem === null;
  return {
    id: study.id,
    experiment: message.experiment ?? study.experiment,
    progress: events.reduce(progress, isAnew ? NO_PROGRESS : study.progress),
    state: message.state,
    problem,
    workers: message.workers === undefined ? study.workers : message.workers,
    steered: [
      ...(isAnew ? [] : study.steered),
      ...events.filter((event) => event.type === "steered"),
    ],
  };
}

/** The arms that were stopped, and not resumed since. */
export function stoppedArms({ steered }: FollowedStudy): Set<string> {
  const stopped = new Set<string>();
  for (const { what, arm = "" } of steered)
    if (what === "stop-arm") stopped.add(arm);
    else if (what === "resume-arm") stopped.delete(arm);
  return stopped;
}

/** Runs that are not at their end, those of arms that were stopped aside. */
export function openRuns(study: FollowedStudy): number {
  const { experiment, progress } = study;
  if (!experiment) return 0;
  if (experiment.kind === "find")
    return openSeeds(experiment, Object.values(progress.rangeTests)[0]);
  const stopped = stoppedArms(study);
  const arms = experiment.arms.filter(({ name }) => !stopped.has(name));
  const ended = Object.values(progress.trials).filter(
    ({ trial }) => !stopped.has(trial.arm) && ["done", "diverged", "pruned"].includes(trial.status),
  );
  return arms.length * experiment.protocol.seeds.length - ended.length;
}

/** Seeds of a range test that are not measured, and what is to follow it: a tuned rate, runs that confirm it. */
function openSeeds(
  { protocol: { seeds }, specification }: ExperimentRecord,
  record: RangeTestRecord | undefined,
): number {
  if (!record) return seeds.length;
  const left = seeds.filter((seed) => !record.runs.some((run) => run.seed === seed)).length;
  const { confirm, tuneEpochs, force = false } = specification ?? {};
  const usable = record.suggestion ?? (force ? record.unguarded : null);
  if (left > 0 || !usable) return left;
  return (
    Number(confirm !== undefined && !record.confirmation) +
    Number(tuneEpochs !== undefined && !record.tuning)
  );
}

/** Its trials in the order of arms and seeds. */
export const trialsOf = ({ progress, experiment }: FollowedStudy): TrialHistory[] => {
  const place = new Map((experiment?.arms ?? []).map(({ name }, i) => [name, i]));
  const at = ({ trial }: TrialHistory) => place.get(trial.arm) ?? place.size;
  return Object.values(progress.trials)
    .map(({ trial, metrics }) => ({ trial, metrics }))
    .sort((a, b) => at(a) - at(b) || a.trial.seed - b.trial.seed);
};

/** An estimate; null before an epoch has ended, or where nothing is left. */
export const timeLeft = (study: FollowedStudy): number | null =>
  study.experiment &&
  secondsLeft({
    experiment: study.experiment,
    trials: Object.values(study.progress.trials),
    stopped: stoppedArms(study),
  });
