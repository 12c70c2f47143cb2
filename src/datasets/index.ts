/** @file The data room: sources, decoding, cache, split, augmentation, batches. */

export { epochOrder } from "../data/order.ts";
export type * from "../data/types.ts";
export { cacheDirectory } from "../files/cache-dir.ts";
export { knownPlace, rememberPlace } from "./cache/places.ts";
export { download } from "./download/download.ts";
export { listImages } from "./list-images.ts";
export { openDataset } from "./open.ts";
export {
  decodeForPrediction,
  openPredictionDecoder,
  type PredictionDecoder,
} from "./predict.ts";
export { sourceNames } from "./sources/source-names.ts";
