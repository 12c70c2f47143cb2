/**
 * @file Trials and range tests in processes of their own, some at a time. One that crashes or is killed
 * is recorded as failed, with how it ended and what it said last; the others go on.
 */

import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { quietly } from "../../core/cleanup.ts";
import { InterruptedError, LrscopeError } from "../../core/errors.ts";
import { ended } from "../../files/child-end.ts";
import { shareable } from "../../files/machine-folders.ts";
import {
  type ProcessEnd,
  type RangeTestRecord,
  type StudyListener,
  studyEvent,
  type Task,
  type TrialRecord,
  versioned,
} from "../../record/index.ts";
import { type RunDirectory, writeFailure } from "../../store/index.ts";
import type { FailedRangeTest, TaskRunner } from "../run-tasks.ts";
import { isFatal } from "./in-process.ts";
import { describeEnd, tailOf, textOfLog } from "./process-end.ts";
import type { Assignment, FromTrial, ReportedError, ToTrial } from "./trial-messages.ts";

export interface PoolOptions {
  readonly directory: RunDirectory;
  /** What all tasks share. */
  readonly shared: Pick<Assignment, "setup" | "dataset" | "plan">;
  /** Processes at a time. */
  readonly jobs: number;
  readonly updatesPerEpoch: number;
  readonly onEvent: StudyListener;
  readonly signal: AbortSignal;
}

/** Tasks in processes of their own, `jobs` at a time. */
export const childProcesses = (options: Omit<PoolOptions, "onEvent">): TaskRunner => ({
  rangeTests: (tasks, onEvent) => runRangeTests(tasks, { ...options, onEvent }),
  trials: (tasks, onEvent) => runTrials(tasks, { ...options, onEvent }),
});

/**
 * Runs range tests, and gives their records, and those that failed: with them ends their arm, not the
 * comparison.
 * @throws LrscopeError where one meets what all others would: a full disk, data that have changed
 * @throws InterruptedError where `signal` aborts
 */
export async function runRangeTests(
  tasks: readonly Task<"range-test">[],
  options: PoolOptions,
): Promise<{ records: RangeTestRecord[]; failed: FailedRangeTest[] }> {
  const records: RangeTestRecord[] = [];
  const failed: FailedRangeTest[] = [];
  const clean = (text: string) => shareable(text, options.directory.path);
  await inTurns(tasks, options, async (task, signal) => {
    const log = options.directory.rangeTestLog(task.slug);
    const { end, died } = await runProcess({
      options,
      task,
      log,
      signal,
      onEvent(event) {
        if (event.type === "range-test-finished") records.push(event.record);
        return options.onEvent(event);
      },
    });
    const subject = `range test of ${task.arm}: `;
    if (died) {
      failed.push({ task, failure: clean(`${subject}${died.why}`), ended: died.end });
      return;
    }
    if (end) {
      const error = errorOf(end);
      if (error instanceof InterruptedError || isFatal(error)) throw error;
      // Its message may begin with its subject already.
      const failure = `${subject}${end.message.replace(/^range test: /, "")}`;
      failed.push({ task, failure: clean(failure) });
      return;
    }
    // Nobody misses it, and nobody minds it.
    quietly(() => rmSync(log, { force: true }));
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
  options: PoolOptions,
): Promise<void> {
  await inTurns(tasks, options, async (task, signal) => {
    const { directory } = options;
    let last: TrialRecord | undefined;
    const { end, died } = await runProcess({
      options,
      task,
      log: directory.trialFile(task.slug, task.seed, "log.txt"),
      signal,
      onEvent(event) {
        if (event.type === "trial-started" || event.type === "trial-finished") last = event.trial;
        return options.onEvent(event);
      },
    });
    const error = end && errorOf(end);
    if (error && (error instanceof InterruptedError || isFatal(error))) throw error;
    if (!died && last?.status !== "running" && last) return;
    const trial: TrialRecord = {
      ...(last ?? begun(task, options.updatesPerEpoch)),
      status: "failed",
      failure: shareable(died?.why ?? error?.message ?? "it never began", directory.path),
      ...(died ? { ended: died.end } : {}),
    };
    directory.writeTrial(trial);
    await options.onEvent(versioned({ type: "trial-finished", trial }));
  });
}

/** The record of a trial whose process did not live long enough to write one. */
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

/** `jobs` at a time, in order; after a failure that ends everything, those under way are stopped. */
async function inTurns<T>(
  items: readonly T[],
  { jobs, signal }: PoolOptions,
  run: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  // Aborted by the caller's signal, or by a failure.
  const over = new AbortController();
  const interrupt = () => over.abort();
  if (signal.aborted) interrupt();
  signal.addEventListener("abort", interrupt);
  let failure: { readonly error: unknown } | undefined;
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined && !over.signal.aborted; item = queue.shift())
      try {
        await run(item, over.signal);
      } catch (error) {
        // What made the others stop, not that they were stopped.
        failure ??= { error };
        over.abort();
      }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, lane));
  signal.removeEventListener("abort", interrupt);
  if (signal.aborted) throw new InterruptedError();
  if (failure) throw failure.error;
}

interface ProcessResult {
  /** What the process said went wrong. */
  readonly end: ReportedError | null;
  /** How it ended, where it did so before it was done. */
  readonly died: { readonly end: ProcessEnd; readonly why: string } | null;
}

interface ProcessCall {
  readonly options: PoolOptions;
  readonly task: Task;
  /** File that takes what the process, and native code in it, prints. */
  readonly log: string;
  readonly signal: AbortSignal;
  readonly onEvent: StudyListener;
}

/** @throws what `onEvent` throws, once the process is gone */
async function runProcess(call: ProcessCall): Promise<ProcessResult> {
  const { options, task, log, signal } = call;
  const output = openLog(log);
  const before = textOfLog(log).length;
  let child: ChildProcess;
  try {
    child = fork(ENTRY, [], {
      stdio: ["ignore", output, output, "ipc"],
      // JavaScript has little to do here: V8 would take sixteen times as much for young objects. For the
      // others see collect-garbage.ts.
      execArgv: ["--max-semi-space-size=1", "--expose-gc"],
      // glibc's own default. Left to itself, it keeps ever larger buffers for the next checkpoint once one
      // was freed; these are given back to the system.
      env: { MALLOC_MMAP_THRESHOLD_: "131072", ...process.env },
    });
  } finally {
    quietly(() => closeSync(output));
  }
  // Said by `ended` too: a process that could not be started has no number.
  child.on("error", () => undefined);
  const tell = (message: ToTrial) => child.connected && child.send(message, () => undefined);
  const stop = () => tell({ type: "stop" });
  signal.addEventListener("abort", stop);
  let said: Extract<FromTrial, { type: "end" }> | undefined;
  let failure: { readonly error: unknown } | undefined;
  child.on("message", (message: FromTrial) => {
    if (message.type === "end") said = message;
    else
      void Promise.resolve()
        .then(() => call.onEvent(studyEvent.parse(message.event)))
        .catch((error) => {
          failure ??= { error };
          stop();
        });
  });
  const { path, fence } = options.directory;
  const lease = fence ? { lease: fence.token } : {};
  tell({ type: "start", assignment: { directory: path, ...lease, ...options.shared, task } });
  if (signal.aborted) stop();
  const [exitCode, signalName] = await ended(child);
  signal.removeEventListener("abort", stop);
  if (failure) throw failure.error;
  if (said) return { end: said.error, died: null };
  // Of an earlier run of the same trial the log may hold more.
  const text = textOfLog(log).slice(before);
  const end = { exitCode, signal: signalName };
  return {
    end: null,
    died: { end: { ...end, log: tailOf(text) }, why: describeEnd(end, text) },
  };
}

function openLog(file: string): number {
  try {
    return openSync(file, "a");
  } catch (error) {
    throw writeFailure(file, error, "what was recorded before is kept");
  }
}

/** The compiled entry; sources are run by tests only, which build it first. */
const ENTRY = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts")
      ? "../../../dist/study/executors/trial-process.js"
      : "./trial-process.js",
    import.meta.url,
  ),
);

function errorOf({ code, message, exitCode }: ReportedError): Error {
  if (code === "INTERRUPTED") return new InterruptedError(message);
  return code === null ? new Error(message) : new LrscopeError(code, message, { exitCode });
}
