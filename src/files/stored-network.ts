/** @file The network in a checkpoint file of lrscope, once the file's checksum was compared. */

import { type StoredNetwork, storedNetworkOf } from "../infer/stored-network.ts";
import { readMetadata } from "../train/checkpoint.ts";
import { checkSeal } from "./seal.ts";
import { readSafetensors } from "./weight-files.ts";

/**
 * @throws WeightsError where the file is missing, damaged, or no checkpoint of lrscope; where its graph is
 *   none, or its weights do not fit it or hold NaN or infinities
 */
export async function readStoredNetwork(path: string): Promise<StoredNetwork> {
  const checkpoint = await readSafetensors(path);
  // Of a file of another program that is the first thing to say.
  readMetadata(checkpoint, path);
  checkSeal(checkpoint, path);
  return storedNetworkOf(checkpoint, path);
}
