/**
 * @file Tasks of a study through an executor: which attempt it is, and what came of it. An executor says when an
 * attempt is gone; what is then in the store under that attempt decides.
 */

import { existsSync, rmSync } from "node:fs";
import { quietly } from "../../core/cleanup.ts";
import { InterruptedError } from "../../core/errors.ts";
import { shareable } from "../../files/machine-folders.ts";
import {
  type RangeTestRecord,
  type StudyListener,
  storedRangeTest,
  type Task,
  type TrialRecord,
  versioned,
} from "../../record/index.ts";
import {
  acceptedTrial,
  beginAttempt,
  endTask,
  readRecord,
  stoppedArms,
  taskPath,
} from "../../store/index.ts";
import { isFinished } from "../../train/trial-state.ts";
import type { FailedRangeTest, MoreTrials, TaskRunner } from "../run-tasks.ts";
import { childProcesses, type ExecutorContext } from "./child-process.ts";
import type { Executor, ExecutorEvent } from "./executor.ts";
import { isFatal } from "./in-memory.ts";
import { errorOf } from "./reported-error.ts";

export interface RunnerOptions extends Omit<ExecutorContext, "onEvent"> {
  readonly updatesPerEpoch: number;
  /** Ends tasks after the update under way. */
  readonly signal: AbortSignal;
  /** Default: processes of their own. */
  readonly executor?: (context: ExecutorContext) => Executor;
}

/** Milliseconds between two looks at what is asked of the study. */
const LOOK = 250;

type CallOptions = RunnerOptions & { readonly onEvent: StudyListener };

export const taskRunner = (options: RunnerOptions): TaskRunner => ({
  rangeTests: (tasks, onEvent) => runRangeTests(tasks, { ...options, onEvent }),
  trials: (tasks, onEvent, more) => runTrials(tasks, { ...options, onEvent }, more),
});

/**
 * Runs range tests, and gives their records, and those that failed: with them ends their arm, not the
 * study.
 * @throws LrscopeError where one meets what all others would: a full disk, data that have changed
 * @throws InterruptedError where `signal` aborts
 */
export async function runRangeTests(
  tasks: readonly Task<"range-test">[],
  options: CallOptions,
): Promise<{ records: RangeTestRecord[]; failed: FailedRangeTest[] }> {
  const { directory } = options;
  const records: RangeTestRecord[] = [];
  const failed: FailedRangeTest[] = [];
  const clean = (text: string) => shareable(text, directory.path);
  await runAttempts(tasks, options, (task, { key, detail, error: said, ended }) => {
    const error = said && errorOf(said);
    if (error && (error instanceof InterruptedError || isFatal(error))) throw error;
    const why = ended ? detail : error?.message;
    if (why !== undefined) {
      // Its message may begin with its subject already.
      const failure = clean(`range test of ${task.arm}: ${why.replace(/^range test: /, "")}`);
      failed.push({ task, failure, ...(ended ? { ended } : {}) });
      return;
    }
    const file = directory.rangeTestFile(task.slug);
    if (existsSync(file)) records.push(readRecord(file, storedRangeTest));
    // Nobody misses it, and nobody minds it.
    quietly(() => rmSync(directory.rangeTestLog(task.slug), { force: true }));
    endTask(directory, key);
  });
  return { records, failed };
}

/**
 * Runs trials; each leaves its records in its folder. A trial that was begun earlier goes on from its
 * newest checkpoint.
 * @throws LrscopeError where one meets what all others would: a full disk, data that have changed
 * @throws InterruptedError where `signal` aborts
 */
export async function runTrials(
  tasks: readonly Task<"trial">[],
  options: CallOptions,
  more?: MoreTrials,
): Promise<void> {
  const { directory, updatesPerEpoch } = options;
  const going = (some: readonly Task<"trial">[]) => {
    const stopped = stoppedArms(directory.path);
    return some.filter(({ arm }) => !stopped.has(arm));
  };
  const settle = async (
    task: Task<"trial">,
    { key, attempt, detail, error: said, ended }: ExecutorEvent,
  ) => {
    const accepted = acceptedTrial(directory, task, attempt);
    if (accepted && isFinished(accepted)) return endTask(directory, key);
    // It has done what this attempt was for; the next one is refused nothing by this one's file.
    if (accepted?.status === "paused") return;
    const error = said && errorOf(said);
    // Its arm alone was stopped: the others go on, and it can be resumed from its checkpoint.
    const isStopped = stoppedArms(directory.path).has(task.arm);
    if (error && (isFatal(error) || (error instanceof InterruptedError && !isStopped))) throw error;
    if (!ended && accepted && accepted.status !== "running") return;
    const asFarAsItCame = accepted ?? begun(task, updatesPerEpoch);
    // Ctrl-C goes to its process too, which may not have been listening yet.
    const trial: TrialRecord =
      options.signal.aborted || isStopped
        ? { ...asFarAsItCame, status: "interrupted" }
        : {
            ...asFarAsItCame,
            status: "failed",
            failure: shareable(detail ?? error?.message ?? "it never began", directory.path),
            ...(ended ? { ended } : {}),
          };
    directory.writeTrial(trial);
    await options.onEvent(versioned({ type: "trial-finished", trial }));
  };
  await runAttempts(
    going(tasks),
    options,
    settle,
    more && (async (task) => going(await more(task))),
  );
}

/** The record of a trial that did not live long enough to write one. */
const begun = (task: Task<"trial">, updatesPerEpoch: number): TrialRecord => ({
  formatVersion: 1,
  arm: task.arm,
  slug: task.slug,
  seed: task.seed,
  optimizer: { ...task.optimizer, hyperparameters: { ...task.optimizer.hyperparameters } },
  schedule: task.schedule,
  learningRateSource: task.learningRateSource,
  updatesPerEpoch,
  epochs: task.epochs,
  status: "running",
  divergence: null,
  failure: null,
  msPerStep: null,
  seconds: null,
});

/** Submits all, and settles each as it is gone; after a failure that ends everything, the others are cancelled. */
async function runAttempts<T extends Task>(
  tasks: readonly T[],
  options: CallOptions,
  settle: (task: T, gone: ExecutorEvent) => void | Promise<void>,
  more?: (task: T) => Promise<readonly T[]>,
): Promise<void> {
  const { directory, signal, executor: open = childProcesses } = options;
  if (signal.aborted) throw new InterruptedError();
  if (tasks.length === 0) return;
  let failure: { readonly error: unknown } | undefined;
  /** Attempts that are not gone, by key. */
  const left = new Map<string, { readonly task: T; readonly attempt: number; ran: boolean }>();
  const cancelAll = () => {
    for (const key of left.keys()) void executor.cancel(key, "checkpoint");
  };
  const fail = (error: unknown) => {
    // What made the others stop, not that they were stopped.
    failure ??= { error };
    cancelAll();
  };
  const executor = open({
    ...options,
    onEvent: (event) =>
      void Promise.resolve()
        .then(() => options.onEvent(event))
        .catch(fail),
  });
  signal.addEventListener("abort", cancelAll);
  const cancelStopped = () => {
    const stopped = stoppedArms(directory.path);
    for (const [key, { task }] of left)
      if (task.kind === "trial" && stopped.has(task.arm)) void executor.cancel(key, "checkpoint");
  };
  const looking = setInterval(() => {
    // What cannot be read now is said where the study is next opened.
    quietly(cancelStopped);
  }, LOOK).unref();
  try {
    const submit = async (some: readonly T[]) => {
      const submitted = some.map((task) => {
        const { key, attempt } = beginAttempt(directory, task);
        left.set(key, { task, attempt, ran: false });
        const priority = task.kind === "trial" ? (task.rung ?? 0) : 0;
        return { key, attempt, task: taskPath(directory.path, key), priority };
      });
      await executor.submit(submitted);
    };
    await submit(tasks);
    if (signal.aborted) cancelAll();
    for await (const event of executor.events(new AbortController().signal)) {
      const open = left.get(event.key);
      if (open?.attempt !== event.attempt) continue;
      if (event.state === "running") open.ran = true;
      if (event.state !== "gone") continue;
      left.delete(event.key);
      if (open.ran)
        await Promise.resolve()
          .then(() => settle(open.task, event))
          .then(async () => {
            const added = failure || signal.aborted ? [] : ((await more?.(open.task)) ?? []);
            if (added.length > 0) await submit(added);
            // It came meanwhile, when these were not there to be cancelled.
            if (signal.aborted) cancelAll();
          })
          .catch(fail);
      if (left.size === 0) break;
    }
  } finally {
    clearInterval(looking);
    signal.removeEventListener("abort", cancelAll);
    await executor.close();
  }
  if (signal.aborted) throw new InterruptedError();
  if (failure) throw failure.error;
}
