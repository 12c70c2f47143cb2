/**
 * @file lrscope's public API: everything that the command line does.
 *
 *   const dataset = await openImages("flowers/");
 *   const network = models.vanilla({ classes: dataset.classes.length, channels: 3, size: 128 });
 *   const backend = nativeBackend();
 *   const test = await rangeTest({ dataset, network, backend, optimizer: sgd() });
 */

export { parseArm } from "./arms/arms.ts";
export type { OwnArm } from "./arms/own-arms.ts";
export type { OwnSchedule, ScheduleRun } from "./arms/own-parts.ts";
export { benchData } from "./bench/data.ts";
export { benchEpoch } from "./bench/epoch.ts";
export { type ExplainedStep, type ExplainOptions, explainStep } from "./bench/explain.ts";
export { benchGrowth } from "./bench/grow.ts";
export { benchOptimizer } from "./bench/optimizer.ts";
export {
  type Bound,
  type ProfiledInstruction,
  type ProfileOptions,
  profileStep,
  type RecordedStep,
  type StepPart,
  type StepProfile,
} from "./bench/profile.ts";
export { type BoundShare, boundShares, layerCosts } from "./bench/profile-costs.ts";
export { benchStep } from "./bench/step.ts";
export { type StepTrace, stepTrace, type TraceEvent } from "./bench/step-trace.ts";
export { benchStudy } from "./bench/study.ts";
export { benchTransfer } from "./bench/transfer.ts";
export { compileNetwork, printProgram } from "./compile/index.ts";
export * from "./core/errors.ts";
export {
  type CompletedCommand,
  type CompletedFlag,
  type CompletedValue,
  completionScript,
  type Shell,
} from "./core/shell-completion.ts";
export { type ArrayDatasetOptions, arrayDataset } from "./data/array-dataset.ts";
export type { Dataset, OpenOptions } from "./data/types.ts";
export type { CachePart } from "./datasets/cache/cache-parts.ts";
export {
  type CachedFile,
  type CleanCacheOptions,
  cleanCache,
  listCache,
} from "./datasets/cache/keep-house.ts";
export { openDataset as openImages } from "./datasets/open.ts";
export { ENGINE_KINDS, openBackend } from "./engine/native/engines.ts";
export { nativeBackend } from "./engine/native/index.ts";
export { referenceBackend } from "./engine/reference/index.ts";
export type { EngineOptions } from "./engine/registry.ts";
export { readSafetensors, writeSafetensors } from "./files/weight-files.ts";
export type { Checkpoint, CheckpointInParts, TensorInParts } from "./formats/index.ts";
export type { Graph, Network } from "./ir/index.ts";
export * as layers from "./layers/index.ts";
export * as models from "./models/index.ts";
export {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  biasCorrection,
  clipByValue,
  copyOfParameter,
  createOptimizer,
  type Dialect,
  defineOptimizer,
  fill,
  filledLike,
  isPositive,
  lamb,
  lars,
  lion,
  lookahead,
  muon,
  nadam,
  type Optimizer,
  prodigy,
  productOverUpdates,
  radam,
  rmsprop,
  sam,
  scalar,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
  zerosLike,
} from "./optimizers/index.ts";
export type {
  EpochMetrics,
  EvaluationRecord,
  ExperimentRecord,
  RangeTestRecord,
  Recipe,
  StudyEvent,
  StudyListener,
  StudyProgress,
  StudyRequest,
  StudySpec,
  SummaryRecord,
  TrialRecord,
} from "./record/index.ts";
export { NO_PROGRESS, progress } from "./record/index.ts";
export {
  type CostRow,
  drawStepProfile,
  type ReportInput,
  renderEvaluation,
  renderReport,
} from "./report/index.ts";
export { type Charted, chartedRates, updatesToDraw } from "./schedules/charted.ts";
export * from "./schedules/index.ts";
export { sampledRates } from "./schedules/sampled.ts";
export { parseSchedule } from "./schedules/text/parse-schedule.ts";
export type { Call, Route } from "./server/route.ts";
export { type ServeOptions, type ServingPage, serve } from "./server/serve.ts";
export { createRunDirectory, openRunDirectory, type RunDirectory, readRun } from "./store/index.ts";
export { type CompareResult, compare } from "./study/compare.ts";
export { childProcesses, type ExecutorContext } from "./study/executors/child-process.ts";
export type {
  Executor,
  ExecutorEvent,
  ReportedError,
  SubmittedTask,
} from "./study/executors/executor.ts";
export { inProcess } from "./study/executors/in-process.ts";
export { type RedisOptions, redis } from "./study/executors/redis/executor.ts";
export { type RunTaskOptions, runTaskFile } from "./study/executors/run-task-file.ts";
export { type SlurmOptions, slurm } from "./study/executors/slurm/slurm.ts";
export { cacheFeatures, type FeatureOptions } from "./study/features.ts";
export { type OpenStudyOptions, openStudy, type Study } from "./study/open-study.ts";
export type { StudyPlaces } from "./study/places.ts";
export {
  type ArmEstimate,
  estimateStudy,
  type StudyEstimate,
} from "./study/planning/estimate-study.ts";
export {
  openPretrained,
  type PretrainedFile,
  type PretrainedOptions,
} from "./study/pretrained.ts";
export { type Recorder, recordRun } from "./study/recorder.ts";
export { type ReportedRuns, type ReportRunsOptions, reportRuns } from "./study/report-runs.ts";
export type { StudyExtension } from "./study/resuming/extend-study.ts";
export { type ResumeStudyOptions, resumeStudy } from "./study/resuming/resume-study.ts";
export { type FinishedStudy, type RunStudyOptions, runStudy } from "./study/run-study.ts";
export {
  type Annotation,
  annotateRun,
  deleteRun,
  describeRun,
  isRunFolder,
  type ListedRun,
  listRuns,
  type RunFilter,
  renameRun,
} from "./study/runs/index.ts";
export { type EvaluateOptions, type Evaluation, evaluate } from "./study/stored/evaluate.ts";
export { exportOnnx, type Prediction, predict } from "./study/stored/from-checkpoint.ts";
export { type ReadStudy, readStudyFile, writeStudyFile } from "./study/study-file.ts";
export type { StudySink } from "./study/study-sink.ts";
export { fitWeights } from "./study/weights/fit-weights.ts";
export { runWorker, type WorkerOptions } from "./study/worker/run-worker.ts";
export { type ConfirmOptions, confirmSuggestion } from "./train/confirm.ts";
export { type FitResult, fit } from "./train/fit.ts";
export type {
  CompareOptions,
  FitOptions,
  RangeTestOptions,
  TrainingSetup,
} from "./train/options.ts";
export { ramp, rangeTest } from "./train/range-test.ts";
export type { InParts, KeptCheckpoint, KeptWeights, WeightsSink } from "./train/weights-sink.ts";
