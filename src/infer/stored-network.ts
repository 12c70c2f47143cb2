/**
 * @file The network in a checkpoint of lrscope: its graph, and the weights beside it. A checkpoint comes from
 * anywhere: graph and weights are checked against each other before anything is made of them.
 */

import { faultOfGraph, predictionGraph } from "../compile/index.ts";
import { LrscopeError, WeightsError } from "../core/errors.ts";
import { formatShape, type Shape, sameShape } from "../core/shapes.ts";
import { type Checkpoint, checkFinite, shownName, shownText } from "../formats/index.ts";
import { forwardGraphRecord, type Graph, type Network, rebatch } from "../ir/index.ts";
import type { CheckpointMetadata } from "../record/index.ts";
import { evaluatedTensor, readMetadata } from "../train/checkpoint.ts";

/** Values of a parameter or statistic, in logical order. */
export interface StoredWeight {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface StoredNetwork {
  /** What messages call the checkpoint. */
  readonly file: string;
  readonly metadata: CheckpointMetadata;
  readonly network: Network;
  /** What the network predicts with, by name: all of its parameters and statistics, finite numbers. */
  readonly weights: ReadonlyMap<string, StoredWeight>;
}

/**
 * The network of a checkpoint that was read; files/stored-network.ts reads one from a file.
 * @param file what messages call it
 * @throws WeightsError where it is damaged, or no checkpoint of lrscope; where its graph is none, or its
 *   weights do not fit it or hold NaN or infinities
 */
export function storedNetworkOf(checkpoint: Checkpoint, file: string): StoredNetwork {
  const metadata = readMetadata(checkpoint, file);
  const damaged = (what: string): never => {
    throw new WeightsError(
      `checkpoint ${file}: ${shownText(what)}; the file is damaged: copy it again from where it came, or train again`,
    );
  };
  checkPreprocessing(metadata, damaged);
  const { model, channels, size, classes } = metadata;
  const ends = { inputShape: [channels, size, size], classes: classes.length } as const;
  const check = (graph: Graph): Graph => {
    const fault = faultOfGraph(graph, ends);
    return fault === null ? graph : damaged(`its graph cannot be used: ${fault}`);
  };
  const parsed = forwardGraphRecord.safeParse(metadata.graph);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    return damaged(`its graph is none: ${first?.path.map(String).join(".")}: ${first?.message}`);
  }
  const graph = check(parsed.data);
  const network: Network = {
    name: model,
    ...ends,
    build: (batch) =>
      graph.batch === batch
        ? graph
        : check(
            rebatch(graph, batch) ?? damaged(`its graph is for batches of ${graph.batch} alone`),
          ),
  };
  checkPasses(network, graph.batch, damaged);
  const weights = weightsOf(graph, { checkpoint, metadata, damaged });
  checkFinite(`checkpoint ${file}`, weights);
  return { file, metadata, network, weights };
}

type Damaged = (what: string) => never;

/** What images go through before they reach the network, and what its answers are called. */
function checkPreprocessing(metadata: CheckpointMetadata, damaged: Damaged): void {
  const { channels, size, mean, std, classes, preprocessing } = metadata;
  if (size < 1 || (channels !== 1 && channels !== 3))
    damaged(`its images are of ${channels} channels and size ${size}`);
  for (const [key, value] of Object.entries({ channels, size }))
    if ((preprocessing[key] ?? value) !== value)
      damaged(`its ${key} is ${value}, and ${preprocessing[key]} in its preprocessing`);
  if (mean.length !== channels || std.length !== channels || !std.every((value) => value > 0))
    damaged(
      `mean and std must be one number a channel, std above 0; they are [${mean}] and [${std}]`,
    );
  if (classes.length === 0) damaged("it names no classes");
}

/** Whatever else the passes cannot take is found here, not in the middle of the work. */
function checkPasses(network: Network, batch: number, damaged: Damaged): void {
  try {
    predictionGraph(network, batch, { whole: true });
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    damaged(
      `its graph cannot be compiled: ${error instanceof LrscopeError ? error.message : "its nodes do not fit each other"}`,
    );
  }
}

function weightsOf(
  graph: Graph,
  options: { checkpoint: Checkpoint; metadata: CheckpointMetadata; damaged: Damaged },
): Map<string, StoredWeight> {
  const { checkpoint, metadata, damaged } = options;
  const { tensors } = checkpoint;
  const state = metadata.evaluationWeights ?? null;
  if (state !== null && ![...tensors.keys()].some((name) => name.endsWith(`:${state}`)))
    damaged(`it predicts with the state ${shownName(state)}, which it does not hold`);
  const weights = new Map<string, StoredWeight>();
  const problems: string[] = [];
  for (const { name, role, shape } of graph.tensors) {
    if (role !== "parameter" && role !== "statistic") continue;
    const label = shownName(name);
    const stored = evaluatedTensor(tensors, name, state);
    if (!stored) problems.push(`${label} ${formatShape(shape)} is missing`);
    else if (!sameShape(stored.shape, shape))
      problems.push(`${label} must be ${formatShape(shape)}; got ${formatShape(stored.shape)}`);
    else if (!(stored.data instanceof Float32Array))
      problems.push(`${label} must be F32; got another element type`);
    else weights.set(name, { shape, data: stored.data });
  }
  if (problems.length > 0) damaged(`it does not fit its own graph: ${problems.join("; ")}`);
  return weights;
}
