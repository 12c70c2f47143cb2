/**
 * @file lrscope's public API: everything that the command line does.
 *
 *   const dataset = await openImages("flowers/");
 *   const network = models.vanilla({ classes: dataset.classes.length, channels: 3, size: 128 });
 *   const backend = nativeBackend();
 *   const test = await rangeTest({ dataset, network, backend, optimizer: sgd() });
 */

export * from "./core/errors.ts";
export { openDataset as openImages } from "./data/index.ts";
export type { Dataset, OpenOptions } from "./data/types.ts";
export type { Graph, Network } from "./ir/index.ts";
export {
  type CompareOptions,
  type CompareResult,
  type ConfirmOptions,
  compare,
  confirmSuggestion,
  type FitOptions,
  type FitResult,
  fit,
  type LabEvent,
  type LabListener,
  type Prediction,
  parseArm,
  predict,
  type RangeTestOptions,
  ramp,
  rangeTest,
  recordRun,
  type TrainingSetup,
} from "./lab/index.ts";
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
  ExperimentRecord,
  RangeTestRecord,
  SummaryRecord,
  TrialRecord,
} from "./record/index.ts";
export { type ReportInput, renderReport } from "./report/index.ts";
export { nativeBackend } from "./runtime/native/index.ts";
export { referenceBackend } from "./runtime/reference/index.ts";
export * from "./schedules/index.ts";
export { createRunDirectory, openRunDirectory, type RunDirectory, readRun } from "./store/index.ts";
export { type Checkpoint, readSafetensors, writeSafetensors } from "./weights/index.ts";
