/** @file What a worker, the process of one of its tasks, and the thread that keeps its lease send each other. */

import type { ListedStudy } from "../executors/redis/registry.ts";

/** A job that a worker took. */
export interface TakenJob {
  readonly key: string;
  readonly attempt: number;
  /** Its name in the queue. */
  readonly id: string;
  /** By which the queue knows who took it. */
  readonly lockToken: string;
}

export type ToTask =
  | {
      type: "start";
      /** "redis://host:6379" */
      redis: string;
      study: ListedStudy;
      /** null: it is only looked whether this machine can run the study's tasks. */
      job: TakenJob | null;
      /** "host-1234" */
      worker: string;
      /** Files of code that the user has named. */
      files: readonly string[];
    }
  | { type: "stop" };

/**
 * How it ended: "over" where what the task did is no longer wanted, as it was taken over or cancelled; "unfit" where
 * this machine cannot run it as it was begun.
 */
export type TaskEnd =
  | { how: "done" | "given back" }
  | { how: "over" | "unfit" | "failed"; reason: string };

export type FromTask =
  | { type: "say"; message: string }
  /** It keeps its lease itself. */
  | { type: "leased" }
  /** It is this attempt's turn: "attempts/adam-0/5/2" */
  | { type: "begun"; turn: string }
  | ({ type: "end" } & TaskEnd);

/** So often within its length a lease is renewed. */
export const RENEWALS = 4;

/** What the lease's thread begins with. */
export interface LeaseOptions {
  readonly redis: string;
  /** Of the study. */
  readonly queue: string;
  readonly job: TakenJob;
  /** Milliseconds. */
  readonly lease: number;
}

export type FromLease = { type: "held" } | { type: "lost" } | { type: "say"; message: string };
