/**
 * @file lrscope in a browser: everything that a laboratory needs and that no file or process is needed for.
 * Data come as arrays, networks train on the reference engine, reports are texts.
 *
 *   const dataset = await arrayDataset({ images, labels, classes });
 *   const network = models.vanilla({ classes: classes.length, channels: 3, size: 32 });
 *   const { trial, metrics } = await fit({ dataset, network, backend: referenceBackend(), optimizer: adam(), epochs: 2 });
 */

import { sha256 } from "./core/digest.ts";
import type { ExperimentRecord } from "./record/index.ts";
import { type ExperimentOptions, experimentRecord } from "./train/experiment-record.ts";
import { wholeOf } from "./train/freezing/frozen-features.ts";

export {
  accuracyElbow,
  suggest,
  summarize,
} from "./analysis/index.ts";
export { parseArm } from "./arms/arms.ts";
export type { OwnArm } from "./arms/own-arms.ts";
export type { OwnSchedule, ScheduleRun } from "./arms/own-parts.ts";
export * from "./core/errors.ts";
export { VERSION } from "./core/version.ts";
export { type ArrayDatasetOptions, arrayDataset } from "./data/array-dataset.ts";
export { syntheticImages } from "./data/synthetic.ts";
export type { Dataset } from "./data/types.ts";
export { referenceBackend } from "./engine/reference/index.ts";
export {
  type Checkpoint,
  type CheckpointInParts,
  decodeSafetensors,
  decodeWeights,
  encodeSafetensors,
  memorySource,
  type TensorInParts,
} from "./formats/index.ts";
export { countConfusion } from "./infer/confusion.ts";
export { onnxOf } from "./infer/export.ts";
export { classify } from "./infer/predict.ts";
export { type StoredNetwork, storedNetworkOf } from "./infer/stored-network.ts";
export type { Graph, Network } from "./ir/index.ts";
export * as layers from "./layers/index.ts";
export * as models from "./models/index.ts";
export * from "./optimizers/index.ts";
export type {
  EpochMetrics,
  ExperimentRecord,
  RangeTestRecord,
  StudyEvent,
  StudyListener,
  SummaryRecord,
  TrialRecord,
} from "./record/index.ts";
export {
  formatRangeTestChart,
  formatSummaryTable,
  type ReportInput,
  renderReport,
} from "./report/index.ts";
export * from "./schedules/index.ts";
export { confirmSuggestion } from "./train/confirm.ts";
export { type FitResult, fit } from "./train/fit.ts";
export type { FitOptions, RangeTestOptions, TrainingSetup } from "./train/options.ts";
export { ramp, rangeTest } from "./train/range-test.ts";
export type { InParts, KeptCheckpoint, KeptWeights, WeightsSink } from "./train/weights-sink.ts";

/**
 * The record of an experiment in this browser, for `summarize` and `renderReport`. Of the machine it says
 * what browsers tell: how many processors, and which browser.
 * @throws ArgumentError, ShapeError for what no training step can be made of
 */
export async function describeExperiment(options: ExperimentOptions): Promise<ExperimentRecord> {
  const { network } = wholeOf(options.setup);
  const { hardwareConcurrency = 1, userAgent = "unknown" } = globalThis.navigator ?? {};
  const machine = {
    processor: "unknown",
    cores: hardwareConcurrency,
    memoryGiB: 0,
    platform: "browser",
    node: userAgent,
  };
  return experimentRecord(options, {
    machine,
    graph: await sha256(JSON.stringify(network.build(1))),
  });
}
