export { type ByteSource, checkRange, memorySource } from "./byte-source.ts";
export { crc32 } from "./crc32.ts";
export { type Decompressor, plainDecompressor } from "./decompressor.ts";
export { checkFinite } from "./finite.ts";
export {
  type CheckpointInParts,
  inParts,
  safetensorsInParts,
  type TensorInParts,
} from "./in-parts.ts";
export { shownName, shownText } from "./limits.ts";
export { decodeOnnx } from "./onnx-read.ts";
export { encodeOnnx, type OnnxOptions } from "./onnx-write.ts";
export { type FoundNames, findNames, withoutWrappers } from "./parameter-names.ts";
export {
  PACKAGED_WEIGHTS,
  PUBLISHED_WEIGHTS,
  type PublishedWeights,
  publishedNormalization,
  type TrainedNormalization,
} from "./published.ts";
export { decodeWeights } from "./read-weights.ts";
export {
  type Checkpoint,
  decodeSafetensors,
  encodeSafetensors,
  type StoredTensor,
  safetensorsFrom,
  safetensorsLayout,
  safetensorsPieces,
  type TensorData,
  tensorPieces,
} from "./safetensors.ts";
export { decodeTorch, type ReadOptions } from "./torch-file.ts";
