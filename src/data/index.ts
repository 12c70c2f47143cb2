/** @file The data room: sources, decoding, cache, split, augmentation, batches. */

export { cacheDirectory } from "./cache-dir.ts";
export { download } from "./download.ts";
export { listImages } from "./list-images.ts";
export { openDataset } from "./open.ts";
export { epochOrder } from "./order.ts";
export { knownPlace, rememberPlace } from "./places.ts";
export {
  decodeForPrediction,
  fillPredictions,
  openPredictionDecoder,
  type PredictionDecoder,
} from "./predict.ts";
export { sourceNames } from "./source-names.ts";
export type * from "./types.ts";
