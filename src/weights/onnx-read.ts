/**
 * @file Weights of an ONNX model, by name: its graph's initializers. The graph itself is not read;
 * lrscope knows the network and asks for its parameters by PyTorch's names, which exporters keep.
 * Source: onnx.proto, ONNX 1.16.
 */

import { WeightsError } from "../core/errors.ts";
import { elementCount, formatShape } from "../core/shapes.ts";
import type { ByteSource } from "./byte-source.ts";
import { withFile } from "./byte-source.ts";
import { ELEMENT_BYTES, type ElementType, tensorData } from "./element-types.ts";
import { type Field, fields, integersOf, textOf } from "./protobuf.ts";
import type { Checkpoint, StoredTensor, TensorData } from "./safetensors.ts";

/** TensorProto.DataType. */
const DATA_TYPES: Readonly<Record<number, ElementType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  16: "bfloat16",
};

/**
 * Reads the weights of an ONNX file, and its metadata.
 * @throws WeightsError where it is missing, damaged, without weights, or keeps them in other files
 */
export const readOnnx = (path: string): Checkpoint => withFile(path, decodeOnnx);

/** The same from any source of bytes. @throws WeightsError as readOnnx */
export function decodeOnnx(source: ByteSource): Checkpoint {
  const tensors = new Map<string, StoredTensor>();
  const metadata: Record<string, string> = Object.create(null);
  for (const field of fields(source)) {
    if (field.number === 14) {
      const [key, value] = keyValue(source, field);
      metadata[key] = value;
    }
    if (field.number !== 7) continue;
    for (const part of fields(source, field.start, field.end)) {
      if (part.number !== 5) continue;
      const { name, tensor } = readTensor(source, part);
      if (tensors.has(name))
        throw new WeightsError(`${source.name}: holds "${name}" twice; it is damaged`);
      tensors.set(name, tensor);
    }
  }
  if (tensors.size === 0)
    throw new WeightsError(
      `${source.name}: holds no weights: its graph has no initializers. Export the model with its parameters`,
    );
  return { tensors, metadata: { ...metadata } };
}

function keyValue(source: ByteSource, field: Field): [string, string] {
  let key = "";
  let value = "";
  for (const part of fields(source, field.start, field.end)) {
    if (part.number === 1) key = textOf(source, part);
    if (part.number === 2) value = textOf(source, part);
  }
  return [key, value];
}

function readTensor(source: ByteSource, field: Field): { name: string; tensor: StoredTensor } {
  let name = "";
  let dataType = 0;
  let external = false;
  const shape: number[] = [];
  /** Where its values lie: raw, or in the list of its type (fields 4, 5, 7, 10). */
  const values: Field[] = [];
  for (const part of fields(source, field.start, field.end)) {
    if (part.number === 1) shape.push(...integersOf(source, part).map(Number));
    if (part.number === 2) dataType = Number(part.value);
    if ([4, 5, 7, 9, 10].includes(part.number)) values.push(part);
    if (part.number === 8) name = textOf(source, part);
    if (part.number === 13 || (part.number === 14 && part.value === 1n)) external = true;
  }
  const label = `tensor "${name.slice(0, 200)}"`;
  const refuse = (what: string): never => {
    throw new WeightsError(`${source.name}: ${label} ${what}`);
  };
  if (external) refuse("lies in another file; save the model as one file");
  const type =
    DATA_TYPES[dataType] ?? refuse(`has data type ${dataType}, which lrscope does not read`);
  const count = elementCount(shape);
  if (!shape.every((extent) => extent >= 0) || !Number.isSafeInteger(count))
    refuse(`has shape ${formatShape(shape)}; it is damaged`);
  const data = valuesOf(source, type, values, refuse);
  if (data.length !== count)
    refuse(`has ${data.length} values to fill ${formatShape(shape)}; it is damaged`);
  return { name, tensor: { shape, data } };
}

function valuesOf(
  source: ByteSource,
  type: ElementType,
  places: readonly Field[],
  refuse: (what: string) => never,
): TensorData {
  const size = ELEMENT_BYTES[type];
  const [first] = places;
  if (!first) return tensorData(type, new Uint8Array(0));
  if (places.some(({ number }) => number !== first.number)) refuse("keeps its values in two ways");
  const isRaw = first.number === 9;
  // Raw bytes, and lists of floats and doubles, are the values as they are.
  if (isRaw || first.number === 4 || first.number === 10) {
    const listed = { 4: "float32", 9: type, 10: "float64" }[first.number];
    if (listed !== type || (isRaw && places.length > 1))
      refuse("keeps its values in a strange way");
    const length = places.reduce((sum, { start, end }) => sum + end - start, 0);
    if (length % size !== 0) refuse(`has ${length} bytes of values; it is damaged`);
    if (places.length === 1) return tensorData(type, source.read(first.start, length));
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const { start, end } of places) {
      bytes.set(source.read(start, end - start), at);
      at += end - start;
    }
    return tensorData(type, bytes);
  }
  const integers = places.flatMap((place) => integersOf(source, place));
  if (type === "int64" && first.number === 7) return BigInt64Array.from(integers);
  if (first.number !== 5) refuse("keeps its values in a strange way");
  // int32_data holds the bits of halves, and the values of small integers.
  if (type === "float16" || type === "bfloat16")
    return tensorData(type, new Uint8Array(Uint16Array.from(integers, Number).buffer));
  return type === "uint8" ? Uint8Array.from(integers, Number) : Int32Array.from(integers, Number);
}
