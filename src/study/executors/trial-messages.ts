/** @file What an executor and the process of one of its tasks send each other: plain JSON. */

import type { DatasetRecord, Plan, StudyEvent } from "../../record/index.ts";
import type { SetupSpec } from "../setup.ts";
import type { ReportedError } from "./executor.ts";

/** What a task needs beside itself: places of this machine, and what must be found there again. */
export interface TaskPlaces {
  /** What is trained, with this machine's paths: they stand in no task and no record. */
  readonly setup: SetupSpec;
  readonly dataset: DatasetRecord;
  readonly plan: Plan;
}

export type ToTrial =
  | {
      type: "start";
      /** The run directory, of which the process writes its own trial's folder only. */
      directory: string;
      /** Token of the lease under which it is held; absent where nobody holds it. */
      lease?: string;
      places: TaskPlaces;
    }
  | { type: "stop" };

export type FromTrial =
  | { type: "event"; event: StudyEvent }
  | { type: "end"; error: ReportedError | null };
