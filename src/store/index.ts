/** @file Run directories: created once, appended to while the work goes on, readable at any moment. */

export {
  type RunDirectory,
  checkRunDirectory,
  createRunDirectory,
  openRunDirectory,
  sweepTemporaries,
} from "./run-directory.ts";
export { type RecordedTrial, type Run, readRun, readRecord } from "./read-run.ts";
export {
  type StoredCheckpoint,
  newestCheckpoint,
  readCheckpoint,
  removeCheckpoints,
  writeCheckpoint,
} from "./checkpoints.ts";
export { type Lock, type LockOwner, acquireLock, inUse, lockHolder } from "./lock.ts";
export { replaceFile } from "./durable-write.ts";
export { metricsCsv } from "./metrics-csv.ts";
export { type EventFile, tensorboardFiles } from "./tensorboard.ts";
