export { type ByteSource, memorySource } from "./byte-source.ts";
export { readSafetensors, writeSafetensors, writeWeightsFile } from "./files.ts";
export { checkFinite } from "./finite.ts";
export { shownName, shownText } from "./limits.ts";
export { decodeOnnx, readOnnx } from "./onnx-read.ts";
export { encodeOnnx, type OnnxOptions } from "./onnx-write.ts";
export {
  IMAGENET_NORMALIZATION,
  PUBLISHED_WEIGHTS,
  type PublishedWeights,
} from "./published.ts";
export { readWeights } from "./read-weights.ts";
export {
  type Checkpoint,
  decodeSafetensors,
  encodeSafetensors,
  type StoredTensor,
  safetensorsFrom,
  type TensorData,
} from "./safetensors.ts";
export { decodeTorch, readTorch } from "./torch-file.ts";
