/** @file Run directories: created once, appended to while the work goes on, readable at any moment. */

export {
  digestOfFile,
  findNewestCheckpoint,
  newestCheckpoint,
  readCheckpoint,
  removeCheckpoints,
  type StoredCheckpoint,
  type WeightsOnDisk,
  writeCheckpoint,
  writeCheckpointInParts,
} from "./checkpoints.ts";
export {
  diskFailure,
  placeFile,
  replaceFile,
  replaceFileInParts,
  writeFailure,
} from "./durable-write.ts";
export {
  acquireLease,
  fenceOf,
  type Lease,
  type LeaseClock,
  leaseHolder,
} from "./lease.ts";
export { metricsCsv } from "./metrics-csv.ts";
export { prunedArms, readDecisions, recordDecisions } from "./pruning-log.ts";
export {
  measuredRuns,
  type Run,
  readLines,
  readRecord,
  readRun,
  readTrial,
  readTrials,
  SEED_CURVES,
} from "./read-run.ts";
export { digestOf, recordsDigest } from "./records-digest.ts";
export {
  checkRunDirectory,
  createRunDirectory,
  openRunDirectory,
  type RunDirectory,
} from "./run-directory.ts";
export {
  DEEPEST,
  type FilesOfRun,
  filesOfRun,
  foldersWithin,
  hasRecord,
  isRunFolder,
  runFolders,
} from "./run-files.ts";
export { type RunNotes, runNotes } from "./run-notes.ts";
export { readSteering, steer, stoppedArms } from "./steering.ts";
export { sweepRun, sweepTemporaries } from "./sweep.ts";
export {
  acceptedTrial,
  beginAttempt,
  checkAttempt,
  currentTask,
  endTask,
  SLURM_NOTES,
  taskKey,
  taskPath,
} from "./tasks.ts";
export { type EventFile, tensorboardFiles } from "./tensorboard.ts";
export { removeWorkers, WORKERS_FILE, writeWorkers } from "./workers-file.ts";
