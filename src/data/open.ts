/** @file openDataset: from a source's name or path to a decoded, split and mapped data set. */

import { InternalError } from "../core/errors.ts";
import type { Dataset, OpenOptions } from "./types.ts";

/**
 * Open a source: decode it into the cache where needed, split it, and map it.
 *
 * @param source a folder of class folders (or of train/ and val/), of IDX files or of CIFAR-10
 *   binaries; or one of `sourceNames`
 * @throws DataError for a source that cannot be used, DownloadError, StoreError for a cache
 *   that cannot be written
 */
export async function openDataset(_source: string, _options: OpenOptions = {}): Promise<Dataset> {
  throw new InternalError("openDataset is not reachable yet");
}
