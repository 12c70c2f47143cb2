/** @file What is made of a checkpoint file: predictions for image files, confusions on a data set, an ONNX model. */

import { at } from "../../core/at.ts";
import { checkPositiveInteger } from "../../core/checks.ts";
import { DataError } from "../../core/errors.ts";
import { listImages, meansImages } from "../../datasets/list-images.ts";
import { openPredictionDecoder } from "../../datasets/predict.ts";
import { cacheDirectory } from "../../files/cache-dir.ts";
import { readStoredNetwork } from "../../files/stored-network.ts";
import { type Confusion, type ConfusionOptions, countConfusion } from "../../infer/confusion.ts";
import { onnxOf } from "../../infer/export.ts";
import { type Classified, classify } from "../../infer/predict.ts";
import type { Backend } from "../../program/index.ts";
import { type ChosenWeights, chooseWeights, type TrialChoice } from "./run-weights.ts";

/** What to classify, with which weights. */
export interface PredictOptions extends TrialChoice {
  /**
   * Path of best.safetensors or last.safetensors of a trial, or of a run directory: then the weights are those
   * of `arm` and `seed`, by default of the arm that leads and of its best seed.
   */
  readonly checkpoint: string;
  /**
   * Image files, folders of them at any depth, and all else that training takes: folders of IDX files or of
   * CIFAR-10's, and names of sources. The format is told by a file's content, never by its name.
   */
  readonly files: readonly string[];
  readonly backend: Backend;
  /** How many classes to name for each file; default 3 (or all, where there are fewer). */
  readonly top?: number;
  /** Images a run, and how many are decoded ahead; default 32, or as many as there are. */
  readonly batch?: number;
  /** Cores; default those that the backend plans for. */
  readonly threads?: number;
  /** Ends the work between two batches, with an InterruptedError. */
  readonly signal?: AbortSignal;
  /** Where downloads of sources are kept; default the user's cache folder. */
  readonly cacheDir?: string;
  /** Told the checkpoint that is used and, where the path left a choice, which it is and why. */
  readonly onWeights?: (weights: ChosenWeights) => void;
}

/** What the network sees in one file. */
export interface Prediction extends Classified {
  readonly file: string;
}

/**
 * Probabilities of each file's likeliest classes, with the preprocessing that the network was
 * trained with. Files that cannot be decoded, whatever else they are, are returned with a reason.
 * @throws DataError for a file or folder that is not there, or where there are no files
 * @throws ArgumentError for an arm or a seed that the run does not have
 * @throws WeightsError where the checkpoint cannot be read, its graph is none, its tensors do not fit it or
 *   hold NaN or infinities, or its logits overflow
 * @throws InterruptedError where `signal` aborts
 */
export async function predict(options: PredictOptions): Promise<Prediction[]> {
  const { threads = options.backend.threads, signal } = options;
  const weights = chooseWeights("predict", options.checkpoint, options);
  const images = await imagesOf(options);
  options.onWeights?.(weights);
  const batch = Math.min(options.batch ?? 32, Math.max(1, images.length));
  checkPositiveInteger("predict", "top", options.top ?? 3);
  checkPositiveInteger("predict", "batch", batch);
  const stored = await readStoredNetwork(weights.checkpoint);
  const { preprocessing } = stored.metadata;
  const decoder = openPredictionDecoder(preprocessing, { capacity: batch, signal });
  try {
    const decode = decoder.decodeListed;
    const answers = await classify({ ...options, stored, images, decode, batch, threads });
    return answers.map((answer, i) => ({ file: at(images, i, "images").name, ...answer }));
  } finally {
    decoder.close();
  }
}

/** @throws DataError for what is not there */
async function imagesOf({ files, signal, cacheDir }: PredictOptions) {
  const missing = files.filter((path) => !meansImages(path));
  if (missing.length > 0)
    throw new DataError(`predict: no such image: ${missing.map((path) => `"${path}"`).join(", ")}`);
  const context = { cacheDir: cacheDirectory(cacheDir), signal };
  const images = (await Promise.all(files.map((path) => listImages(path, context)))).flat();
  if (images.length === 0)
    throw new DataError(
      `predict: there are no files in ${files.map((path) => `"${path}"`).join(", ")}; give files, or folders that hold some`,
    );
  return images;
}

/**
 * Classifies every validation image, without augmentation.
 * @param options.checkpoint path of best.safetensors or last.safetensors of a trial on the data set
 * @param options.threads default the backend's
 * @throws WeightsError where the checkpoint cannot be read or its tensors do not fit its graph
 * @throws InterruptedError where `signal` aborts
 */
export async function confusionOf(
  options: Omit<ConfusionOptions, "stored" | "threads"> & {
    readonly checkpoint: string;
    readonly threads?: number;
  },
): Promise<Confusion> {
  const stored = await readStoredNetwork(options.checkpoint);
  return countConfusion({
    ...options,
    stored,
    threads: options.threads ?? options.backend.threads,
  });
}

export interface ExportOptions extends TrialChoice {
  /** As `predict` takes it: a checkpoint, or a run directory. */
  readonly checkpoint: string;
  /** Output "probabilities" in place of "logits"; default true. */
  readonly softmax?: boolean;
  /** Told the checkpoint that is used and, where the path left a choice, which it is and why. */
  readonly onWeights?: (weights: ChosenWeights) => void;
}

/**
 * The bytes of an ONNX file: input "images" (batch, channels, size, size), float32, of
 * (pixel / 255 - mean) / std; its metadata hold classes, mean, std, size, channels, preprocessing.
 * The weights are those that `predict` takes.
 * @throws ArgumentError for an arm or a seed that the run does not have
 * @throws WeightsError where the checkpoint cannot be read, its graph is none, its weights do not fit it or
 *   are no finite numbers, or it holds what ONNX has no operator for
 */
export async function exportOnnx({
  checkpoint,
  softmax = true,
  onWeights,
  ...choice
}: ExportOptions): Promise<Uint8Array> {
  const weights = chooseWeights("export", checkpoint, choice);
  const stored = await readStoredNetwork(weights.checkpoint);
  onWeights?.(weights);
  return onnxOf(stored, { softmax });
}
