/** @file Classify image files with the weights of a checkpoint; nothing else is needed. */

import { compilePredictor } from "../compile/index.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { InterruptedError, WeightsError } from "../core/errors.ts";
import {
  fillPredictions,
  openPredictionDecoder,
  type PredictionDecoder,
} from "../datasets/predict.ts";
import { defaultThreads } from "../files/machine.ts";
import { shownName } from "../formats/index.ts";
import type { Backend } from "../program/index.ts";
import { readStoredNetwork, type StoredNetwork } from "./stored-network.ts";

/** What to classify, with which weights. */
export interface PredictOptions {
  /** Path of best.safetensors or last.safetensors of a trial. */
  readonly checkpoint: string;
  /** Image files, of any format that training accepts. */
  readonly files: readonly string[];
  readonly backend: Backend;
  /** How many classes to name for each file; default 3 (or all, where there are fewer). */
  readonly top?: number;
  /** Images a run, and how many are decoded ahead; default 32, or as many as there are. */
  readonly batch?: number;
  /** Cores; default all. */
  readonly threads?: number;
  /** Ends the work between two batches, with an InterruptedError. */
  readonly signal?: AbortSignal;
}

/** What the network sees in one file. */
export interface Prediction {
  readonly file: string;
  /** Most probable first; empty where the file could not be decoded. */
  readonly top: readonly { readonly class: string; readonly probability: number }[];
  /** Why the file could not be decoded, or null. */
  readonly reason: string | null;
}

/**
 * Probabilities of each file's likeliest classes, with the preprocessing that the network was
 * trained with. Files that cannot be decoded are returned with a reason.
 * @throws WeightsError where the checkpoint cannot be read, its graph is none, its tensors do not fit it or
 *   hold NaN or infinities, or its logits overflow
 * @throws InterruptedError where `signal` aborts
 */
export async function predict(options: PredictOptions): Promise<Prediction[]> {
  const { checkpoint: path, files, backend, top = 3, threads = defaultThreads(), signal } = options;
  checkPositiveInteger("predict", "top", top);
  const batch = Math.min(options.batch ?? 32, Math.max(1, files.length));
  checkPositiveInteger("predict", "batch", batch);
  const { metadata, session, run } = await openPredictor(path, { backend, batch, threads });
  const { classes, channels, size, mean, std, preprocessing } = metadata;
  let decoder: PredictionDecoder | undefined;
  try {
    const opened = openPredictionDecoder(preprocessing, { capacity: batch, signal });
    decoder = opened;
    const predictions: Prediction[] = [];
    const decode = (first: number) => {
      const decoding =
        first < files.length
          ? opened.decode(files.slice(first, first + batch))
          : Promise.resolve([]);
      // What goes wrong is thrown where it is awaited, which an earlier failure may keep it from.
      decoding.catch(() => undefined);
      return decoding;
    };
    let next = decode(0);
    for (let first = 0; first < files.length; first += batch) {
      if (signal?.aborted) throw new InterruptedError("interrupted");
      const decoded = await next;
      // The next files are decoded while these go through the network.
      next = decode(first + batch);
      const usable = decoded.flatMap(({ pixels }) => (pixels ? [pixels] : []));
      fillPredictions({ images: session.images(0), pixels: usable, channels, size, mean, std });
      const probabilities = usable.length > 0 ? await run(usable.length) : new Float32Array(0);
      let row = 0;
      for (const { file, pixels, reason } of decoded) {
        const place = pixels ? row++ * classes.length : 0;
        const ranked = classes
          .map((name, i) => ({ class: name, probability: probabilities[place + i]! }))
          .sort((a, b) => b.probability - a.probability);
        predictions.push({ file, top: pixels ? ranked.slice(0, top) : [], reason });
      }
    }
    return predictions;
  } finally {
    decoder?.close();
    session.dispose();
  }
}

/**
 * A stored network, ready to classify what is written to its session's slot 0; dispose the session
 * when done. `run` gives (batch, classes) probabilities, of which the first `rows` are checked.
 * @throws WeightsError where the checkpoint cannot be read or its tensors do not fit its graph; from `run`
 *   where the network gives no probabilities, as its logits overflow
 */
export async function openPredictor(
  path: string,
  {
    backend,
    batch,
    threads,
  }: { readonly backend: Backend; readonly batch: number; readonly threads: number },
) {
  const { metadata, network, weights } = await readStoredNetwork(path);
  const compiled = compilePredictor({ network, backend, batch, threads });
  const session = backend.createSession(compiled.sessionOptions);
  try {
    for (const { name, buffer } of compiled.tensors) session.write(buffer, weights.get(name)!.data);
    compiled.prepare(session);
    const program = session.load(compiled.program);
    const run = async (rows: number) => {
      const { probabilities } = await program.run({ slot: 0, scalars: compiled.scalars });
      const used = probabilities!.subarray(0, rows * network.classes);
      if (!used.every((value) => Number.isFinite(value))) throw overflow(path, weights);
      return probabilities!;
    };
    return { metadata, session, run };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

function overflow(path: string, weights: StoredNetwork["weights"]): WeightsError {
  let [largest, where] = [0, ""];
  for (const [name, { data }] of weights)
    for (const value of data)
      if (Math.abs(value) > largest) [largest, where] = [Math.abs(value), name];
  return new WeightsError(
    `checkpoint ${path}: gives no probabilities: its weights are finite, but the logits that they make are not (the largest weight is ${largest.toPrecision(3)}, in ${shownName(where)}). Take weights of an earlier epoch, or train again at a lower learning rate`,
  );
}
