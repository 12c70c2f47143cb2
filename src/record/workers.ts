/** @file workers.json: who works at which task of a study just now, and what waits; there while the study runs elsewhere. */

import { z } from "zod";

const count = z.number().int().nonnegative();

const schema = z.object({
  formatVersion: z.literal(1),
  /** "redis", "slurm" */
  executor: z.string(),
  /** When it was so, ISO 8601, as all times in it by the clock of the machine that has the run directory. */
  at: z.string(),
  /** Seconds without a sign of life after which a task goes on with another worker; null where none is leased. */
  lease: z.number().positive().nullable(),
  /** Those that are there, with tasks or without; of an executor that has none of its own, none. */
  workers: z.array(
    z.object({
      /** "host-4711" */
      name: z.string(),
      /** Tasks that it takes at a time, and that it has, of this study or another. */
      jobs: count,
      busy: count,
    }),
  ),
  /** Tasks that somebody has. */
  running: z.array(
    z.object({
      key: z.string(),
      /** Of the task, from 1; and within it the turn, from 1, where workers take it in turns. */
      attempt: count,
      turn: count.nullable(),
      worker: z.string(),
      since: z.string(),
      /** The latest of what it told; null before the first. */
      heard: z.string().nullable(),
      /** Seconds until its lease ends unless it is renewed; null where it has none that is known. */
      leaseLeft: z.number().nullable(),
    }),
  ),
  /** Tasks that nobody has, and the first of them. */
  waiting: count,
  next: z.array(z.string()),
  /** What was told by those whose turn was over, since this call of the study began. */
  refused: count,
  lastRefused: z.string().nullable(),
});

export type WorkersRecord = z.infer<typeof schema>;
export const workersRecord: z.ZodType<WorkersRecord> = schema;
