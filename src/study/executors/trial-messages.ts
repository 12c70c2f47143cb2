/** @file What a comparison and the process of one of its trials say to each other. */

import type { RangeTestSpec, TrialSpec } from "../../arms/trials.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { DatasetRecord, Plan, StudyEvent } from "../../record/index.ts";
import type { SetupSpec } from "../setup.ts";

/** All that a process needs to run one trial or range test. */
export interface TrialTask {
  /** The run directory, of which the process writes its own trial's folder only. */
  readonly directory: string;
  /** Token of the parent's lease of that directory; absent where it has none. */
  readonly lease?: string;
  readonly setup: SetupSpec;
  /** What the process must find again: the experiment's data and plan. */
  readonly dataset: DatasetRecord;
  readonly plan: Plan;
  readonly work:
    | { readonly kind: "trial"; readonly spec: TrialSpec }
    | { readonly kind: "range-test"; readonly spec: RangeTestSpec };
}

export type ToTrial = { type: "start"; task: TrialTask } | { type: "stop" };

export interface ReportedError {
  /** null where it was no error of lrscope's. */
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly exitCode: number;
}

export type FromTrial =
  | { type: "event"; event: StudyEvent }
  | { type: "end"; error: ReportedError | null };
