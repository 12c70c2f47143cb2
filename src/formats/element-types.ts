/**
 * @file Element types of stored tensors, and how they come to memory. Half and bfloat16 are widened
 * to float32 (exactly), small integers and booleans to int32; everything else stays as it is.
 */

import { WeightsError } from "../core/errors.ts";
import type { TensorData } from "./safetensors.ts";

export type ElementType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** IEEE half to its value. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halves: Float32Array | undefined;
/** Every half there is, by its bits: a checkpoint holds millions. */
const halfTable = () => {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  return halves;
};

/**
 * The values of little-endian bytes that lie at the start of a buffer of their own. Types that
 * memory holds as they are become views of that buffer.
 */
export function tensorData(type: ElementType, bytes: Uint8Array<ArrayBuffer>): TensorData {
  const { buffer, byteOffset, byteLength } = bytes;
  const size = ELEMENT_BYTES[type];
  if (byteLength % size !== 0 || byteOffset % size !== 0)
    throw new WeightsError(`internal: ${byteLength} bytes at ${byteOffset} are no ${type} array`);
  const count = byteLength / size;
  switch (type) {
    case "float64":
      return new Float64Array(buffer, byteOffset, count);
    case "float32":
      return new Float32Array(buffer, byteOffset, count);
    case "int64":
      return new BigInt64Array(buffer, byteOffset, count);
    case "int32":
      return new Int32Array(buffer, byteOffset, count);
    case "uint8":
      return bytes;
    case "float16": {
      const table = halfTable();
      const bits = new Uint16Array(buffer, byteOffset, count);
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = table[bits[i]!]!;
      return values;
    }
    case "bfloat16": {
      const bits = new Uint16Array(buffer, byteOffset, count);
      const words = new Uint32Array(count);
      for (let i = 0; i < count; i++) words[i] = bits[i]! << 16;
      return new Float32Array(words.buffer);
    }
    // `Int32Array.from` would make a list of all values first.
    case "int16":
      return new Int32Array(new Int16Array(buffer, byteOffset, count));
    case "int8":
      return new Int32Array(new Int8Array(buffer, byteOffset, count));
    case "bool": {
      const values = new Int32Array(count);
      for (let i = 0; i < count; i++) values[i] = bytes[i] === 0 ? 0 : 1;
      return values;
    }
  }
}
