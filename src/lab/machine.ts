/** @file What the machine is, for the records. Nothing here identifies its owner. */

import { availableParallelism, cpus, totalmem } from "node:os";
import type { ExperimentRecord } from "../record/index.ts";

/** Cores that this process may use. */
export const defaultThreads = (): number => availableParallelism();

export function describeMachine(): ExperimentRecord["machine"] {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}
