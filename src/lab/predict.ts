/** @file Classify image files with the weights of a checkpoint; nothing else is needed. */

import { compilePredictor } from "../compile/index.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { InterruptedError, LrscopeError, WeightsError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shapes.ts";
import { fillPredictions, openPredictionDecoder, type PredictionDecoder } from "../data/index.ts";
import type { Backend, Session } from "../program/index.ts";
import type { Checkpoint } from "../weights/index.ts";
import { defaultThreads } from "./machine.ts";
import { readStoredNetwork } from "./stored-network.ts";

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
 * @throws WeightsError where the checkpoint cannot be read or its tensors do not fit its graph
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
    const decode = (first: number) =>
      first < files.length ? opened.decode(files.slice(first, first + batch)) : Promise.resolve([]);
    let next = decode(0);
    for (let first = 0; first < files.length; first += batch) {
      if (signal?.aborted) throw new InterruptedError("interrupted");
      const decoded = await next;
      // The next files are decoded while these go through the network.
      next = decode(first + batch);
      next.catch(() => undefined);
      const usable = decoded.flatMap(({ pixels }) => (pixels ? [pixels] : []));
      fillPredictions({ images: session.images(0), pixels: usable, channels, size, mean, std });
      const probabilities = usable.length > 0 ? await run() : new Float32Array(0);
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
 * when done. `run` gives (batch, classes) probabilities.
 * @throws WeightsError where the checkpoint cannot be read or its tensors do not fit its graph
 */
export async function openPredictor(
  path: string,
  {
    backend,
    batch,
    threads,
  }: { readonly backend: Backend; readonly batch: number; readonly threads: number },
) {
  const { checkpoint, metadata, network } = await readStoredNetwork(path);
  const compiled = compileStored(path, { network, backend, batch, threads });
  const session = backend.createSession(compiled.sessionOptions);
  try {
    const evaluationWeights = metadata.evaluationWeights ?? null;
    writeTensors(session, compiled.tensors, { checkpoint, path, evaluationWeights });
    compiled.prepare(session);
    const program = session.load(compiled.program);
    const run = async () =>
      (await program.run({ slot: 0, scalars: compiled.scalars })).probabilities!;
    return { metadata, session, run };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** @throws WeightsError where the graph of the checkpoint is none */
function compileStored(path: string, options: Parameters<typeof compilePredictor>[0]) {
  try {
    return compilePredictor(options);
  } catch (error) {
    if (error instanceof LrscopeError && error.code !== "INTERNAL") throw error;
    throw new WeightsError(
      `checkpoint ${path}: its graph cannot be compiled; the file is damaged`,
      {
        cause: error,
      },
    );
  }
}

function writeTensors(
  session: Session,
  tensors: ReturnType<typeof compilePredictor>["tensors"],
  options: { checkpoint: Checkpoint; path: string; evaluationWeights: string | null },
): void {
  const { checkpoint, path, evaluationWeights } = options;
  const problems: string[] = [];
  for (const { name, buffer } of tensors) {
    const stored =
      checkpoint.tensors.get(`${name}:${evaluationWeights}`) ?? checkpoint.tensors.get(name);
    if (!stored) problems.push(`"${name}" ${formatShape(buffer.shape)} is missing`);
    else if (!sameShape(stored.shape, buffer.shape))
      problems.push(
        `"${name}" must be ${formatShape(buffer.shape)}; got ${formatShape(stored.shape)}`,
      );
    else if (!(stored.data instanceof Float32Array))
      problems.push(`"${name}" must be F32; got another element type`);
    else session.write(buffer, stored.data);
  }
  if (problems.length > 0)
    throw new WeightsError(
      `checkpoint ${path}: does not fit its own graph: ${problems.join("; ")}. The file is damaged`,
    );
}
