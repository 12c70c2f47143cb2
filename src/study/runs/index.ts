/** @file Runs as a collection: listed, spoken of, renamed, deleted. */

export { hasRecord, isRunFolder } from "../../store/index.ts";
export { type Annotation, annotateRun, deleteRun, renameRun } from "./annotate-run.ts";
export {
  describeRun,
  type ListedRun,
  listRuns,
  RUNS_FOLDER,
  type RunFilter,
} from "./list-runs.ts";
