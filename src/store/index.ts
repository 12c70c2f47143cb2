/** @file Run directories: created once, appended to while the work goes on, readable at any moment. */

export {
  type RunDirectory,
  checkRunDirectory,
  createRunDirectory,
  openRunDirectory,
} from "./run-directory.ts";
export { type RecordedTrial, type Run, readRun, readRecord } from "./read-run.ts";
