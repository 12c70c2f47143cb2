/** @file The network in a checkpoint of lrscope: its graph, and the weights beside it. */

import { WeightsError } from "../core/errors.ts";
import { type Network, rebatch } from "../ir/index.ts";
import { type Checkpoint, readSafetensors } from "../weights/index.ts";
import { type CheckpointMetadata, readMetadata } from "./checkpoint.ts";
import { checkSeal } from "./seal.ts";

export interface StoredNetwork {
  readonly checkpoint: Checkpoint;
  readonly metadata: CheckpointMetadata;
  readonly network: Network;
}

/** @throws WeightsError where the file is missing, damaged, or no checkpoint of lrscope */
export async function readStoredNetwork(path: string): Promise<StoredNetwork> {
  const checkpoint = await readSafetensors(path);
  const metadata = readMetadata(checkpoint, path);
  checkSeal(checkpoint, path);
  const { graph, model, channels, size, classes } = metadata;
  const network: Network = {
    name: model,
    inputShape: [channels, size, size],
    classes: classes.length,
    build(batch) {
      // Whatever is wrong with a graph that does not say its batch is said when it is compiled.
      if (!Array.isArray(graph.tensors) || graph.batch === batch) return graph;
      const rebatched = rebatch(graph, batch);
      if (!rebatched)
        throw new WeightsError(
          `checkpoint ${path}: its graph is for batches of ${graph.batch} alone; the file is damaged`,
        );
      return rebatched;
    },
  };
  return { checkpoint, metadata, network };
}
