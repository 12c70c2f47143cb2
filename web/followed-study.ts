/** @file A study as this page knows it: what the messages about it add up to. */

import type {
  ExperimentRecord,
  SteeredEvent,
  StudyEvent,
  TrialHistory,
} from "../src/record/index.ts";
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
  /** What was asked of it from outside, oldest first. */
  readonly steered: readonly SteeredEvent[];
}

export const unheard = (id: string): FollowedStudy => ({
  ...{ id, experiment: null, progress: NO_PROGRESS, state: "", problem: null, steered: [] },
});

/** The study after a message. */
export const heard = (study: FollowedStudy, message: StudyMessage): FollowedStudy => ({
  id: study.id,
  experiment: message.experiment ?? study.experiment,
  progress: message.events.reduce(progress, message.from === "" ? NO_PROGRESS : study.progress),
  state: message.state,
  problem: message.problem ?? null,
  steered: [
    ...(message.from === "" ? [] : study.steered),
    ...message.events.filter((event) => event.type === "steered"),
  ],
});

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
  const stopped = stoppedArms(study);
  const arms = experiment.arms.filter(({ name }) => !stopped.has(name));
  const ended = Object.values(progress.trials).filter(
    ({ trial }) => !stopped.has(trial.arm) && ["done", "diverged", "pruned"].includes(trial.status),
  );
  return arms.length * experiment.protocol.seeds.length - ended.length;
}

/** Its trials in the order of arms and seeds. */
export const trialsOf = ({ progress, experiment }: FollowedStudy): TrialHistory[] => {
  const place = new Map((experiment?.arms ?? []).map(({ name }, i) => [name, i]));
  const at = ({ trial }: TrialHistory) => place.get(trial.arm) ?? place.size;
  return Object.values(progress.trials)
    .map(({ trial, metrics }) => ({ trial, metrics }))
    .sort((a, b) => at(a) - at(b) || a.trial.seed - b.trial.seed);
};

/** By the mean of the epochs so far; null before there is one, or where nothing is left. */
export function secondsLeft(study: FollowedStudy): number | null {
  const { experiment, progress } = study;
  if (!experiment) return null;
  const stopped = stoppedArms(study);
  const { epochs, seeds } = experiment.protocol;
  const all = Object.values(progress.trials).filter(({ trial }) => !stopped.has(trial.arm));
  const took = all.flatMap(({ metrics }) => metrics.map(({ seconds }) => seconds));
  const spent = all.reduce(
    (sum, { trial, metrics }) =>
      sum + (["done", "diverged", "pruned"].includes(trial.status) ? epochs : metrics.length),
    0,
  );
  const arms = experiment.arms.filter(({ name }) => !stopped.has(name)).length;
  const left = arms * seeds.length * epochs - spent;
  if (took.length === 0 || left <= 0) return null;
  const mean = took.reduce((sum, seconds) => sum + seconds, 0) / took.length;
  return (left * mean) / (experiment.specification?.jobs ?? 1);
}
