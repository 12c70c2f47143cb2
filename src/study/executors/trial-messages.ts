/** @file What a comparison and the process of one of its trials say to each other. */

import type { ErrorCode } from "../../core/errors.ts";
import type { DatasetRecord, Plan, StudyEvent, Task } from "../../record/index.ts";
import type { SetupSpec } from "../setup.ts";

/** A task, and all that a process of its own needs to run it on this machine. */
export interface Assignment {
  /** The run directory, of which the process writes its own trial's folder only. */
  readonly directory: string;
  /** Token of the parent's lease of that directory; absent where it has none. */
  readonly lease?: string;
  readonly setup: SetupSpec;
  /** What the process must find again: the experiment's data and plan. */
  readonly dataset: DatasetRecord;
  readonly plan: Plan;
  readonly task: Task;
}

export type ToTrial = { type: "start"; assignment: Assignment } | { type: "stop" };

export interface ReportedError {
  /** null where it was no error of lrscope's. */
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly exitCode: number;
}

export type FromTrial =
  | { type: "event"; event: StudyEvent }
  | { type: "end"; error: ReportedError | null };
