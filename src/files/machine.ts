/** @file What the machine is, for the records. Nothing here identifies its owner. */

import { availableParallelism, cpus, totalmem } from "node:os";
import { ArgumentError } from "../core/errors.ts";
import type { ExperimentRecord } from "../record/index.ts";

/** Cores that this process may use. */
export const defaultThreads = (): number => availableParallelism();

/**
 * Cores of each of `jobs` trials that run at a time: those given, or all, divided evenly and rounded down.
 * @throws ArgumentError where there are more trials at a time than cores
 */
export function threadsOfEach(options: { jobs: number; threads?: number | undefined }): number {
  const { jobs, threads = defaultThreads() } = options;
  if (jobs > threads)
    throw new ArgumentError(
      `jobs: runs at the same time must not outnumber the cores that they share; got ${jobs} for ${threads}. Use --jobs ${threads} or less`,
    );
  return Math.floor(threads / jobs);
}

export function describeMachine(): ExperimentRecord["machine"] {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}
