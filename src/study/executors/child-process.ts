/**
 * @file Tasks in processes of their own on this machine, some at a time: each is `lrscope trial TASK.json`. One
 * that crashes or is killed ends alone, and how it ended is said with what its log says last.
 */

import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { quietly } from "../../core/cleanup.ts";
import { ended } from "../../files/child-end.ts";
import { type StudyEvent, studyEvent, taskFile } from "../../record/index.ts";
import { type RunDirectory, readRecord, writeFailure } from "../../store/index.ts";
import type { Executor, SubmittedTask } from "./executor.ts";
import { type AttemptEnd, localExecutor, type StartedAttempt } from "./local-executor.ts";
import { describeEnd, logOf, tailOf, textOfLog } from "./process-end.ts";
import type { FromTrial, TaskPlaces, ToTrial } from "./trial-messages.ts";

/** What an executor runs tasks with. */
export interface ExecutorContext {
  /** Where the records go. */
  readonly directory: RunDirectory;
  readonly shared: TaskPlaces;
  /** Tasks at a time. */
  readonly jobs: number;
  /** Hears the events of all tasks; never throws. */
  onEvent(event: StudyEvent): void;
}

/** Processes of this machine, `jobs` at a time. */
export const childProcesses = (context: ExecutorContext): Executor =>
  localExecutor({
    name: "child processes",
    jobs: context.jobs,
    start: (task) => startProcess(task, context),
  });

function startProcess(task: SubmittedTask, context: ExecutorContext): StartedAttempt {
  const { directory, shared } = context;
  const log = logOf(readRecord(task.task, taskFile).task, directory);
  const output = openLog(log);
  const before = textOfLog(log).length;
  let child: ChildProcess;
  try {
    child = fork(ENTRY, ["trial", task.task, "--ipc"], {
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
  let end: Extract<FromTrial, { type: "end" }> | undefined;
  child.on("message", (message: FromTrial) => {
    if (message.type === "end") end = message;
    else context.onEvent(studyEvent.parse(message.event));
  });
  const { path, fence } = directory;
  const lease = fence ? { lease: fence.token } : {};
  tell({ type: "start", directory: path, ...lease, places: shared });
  const gone = ended(child).then(([exitCode, signal]): AttemptEnd => {
    if (end) return end.error ? { error: end.error } : {};
    // Of an earlier attempt at the same trial the log may hold more.
    const text = textOfLog(log).slice(before);
    const how = { exitCode, signal };
    return { detail: describeEnd(how, text), ended: { ...how, log: tailOf(text) } };
  });
  return {
    gone,
    cancel: (how) => (how === "now" ? child.kill("SIGKILL") : tell({ type: "stop" })),
  };
}

function openLog(file: string): number {
  try {
    return openSync(file, "a");
  } catch (error) {
    throw writeFailure(file, error, "what was recorded before is kept");
  }
}

/** The compiled command line; sources are run by tests only, which build it first. */
const ENTRY = fileURLToPath(new URL("../../../bin/lrscope.js", import.meta.url));
