/**
 * @file Who runs the tasks of a study: processes of this machine, this process, and in time a cluster or a
 * queue. An executor is told what to run and says where that is; what came of it, it does not decide: that is
 * what the store accepted under the task's current attempt.
 */

import type { ErrorCode } from "../../core/errors.ts";
import type { ProcessEnd } from "../../record/index.ts";

/** One attempt at a task. */
export interface SubmittedTask {
  readonly key: string;
  readonly attempt: number;
  /** Path of its file, tasks/<key>.json of the run directory: what `lrscope trial` takes. */
  readonly task: string;
  /** One of a higher priority is begun before those that wait; default 0. */
  readonly priority?: number;
}

/** Why an attempt ended before its work was done, as far as that can be told. */
export interface ReportedError {
  /** null where it was no error of lrscope's. */
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly exitCode: number;
}

export interface ExecutorEvent {
  readonly key: string;
  readonly attempt: number;
  /** "gone": it runs no more, whatever it did; the store knows. */
  readonly state: "queued" | "running" | "gone";
  /** For people, of "gone": how it ended where it did so early. */
  readonly detail?: string;
  /** Of "gone": what the task said went wrong. */
  readonly error?: ReportedError;
  /** Of "gone": how its process ended, where it did so before it could say anything. */
  readonly ended?: ProcessEnd;
}

export interface Executor {
  /** "child processes" */
  readonly name: string;
  /** Takes tasks on, in order. An attempt that was submitted before is not taken on twice. */
  submit(tasks: readonly SubmittedTask[]): Promise<void>;
  /** What becomes of all attempts, from the first one on; ends with `close`, or where the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<ExecutorEvent>;
  /**
   * Ends a task: after the update under way, so that it is resumed from its newest checkpoint, or now. One that
   * is not there is none.
   */
  cancel(key: string, how: "checkpoint" | "now"): Promise<void>;
  /** Ends all tasks now, and resolves when they are gone. */
  close(): Promise<void>;
}
