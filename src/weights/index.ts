export { readSafetensors, writeSafetensors } from "./files.ts";
export {
  type Checkpoint,
  decodeSafetensors,
  encodeSafetensors,
  type StoredTensor,
  type TensorData,
} from "./safetensors.ts";
