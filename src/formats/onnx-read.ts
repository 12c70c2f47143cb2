/**
 * @file Weights of an ONNX model, by name: its graph's initializers. The graph itself is not read;
 * lrscope knows the network and asks for its parameters by PyTorch's names, which exporters keep unless
 * they fold batch norm into convolutions.
 * Source: onnx.proto, ONNX 1.16.
 */

import { WeightsError } from "../core/errors.ts";
import { elementCount, formatShape } from "../core/shapes.ts";
import type { ByteSource } from "./byte-source.ts";
import { ELEMENT_BYTES, type ElementType, tensorData } from "./element-types.ts";
import { MAXIMUM_DIMENSIONS, MAXIMUM_TENSORS, shownName } from "./limits.ts";
import { countIntegers, type Field, fields, integersOf, textOf } from "./protobuf.ts";
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
 * @throws WeightsError where it is damaged, without weights, or keeps them in other files
 */
export function decodeOnnx(source: ByteSource): Checkpoint {
  const tensors = new Map<string, StoredTensor>();
  const metadata: Record<string, string> = Object.create(null);
  let texts = 0;
  for (const field of fields(source)) {
    if (field.number === 14) {
      const [key, value] = keyValue(source, field);
      if (++texts > MAXIMUM_TENSORS)
        throw new WeightsError(`${source.name}: has more than ${MAXIMUM_TENSORS} metadata entries`);
      metadata[key] = value;
    }
    if (field.number !== 7) continue;
    for (const part of fields(source, field.start, field.end)) {
      if (part.number !== 5) continue;
      const { name, tensor } = readTensor(source, part);
      if (tensors.has(name))
        throw new WeightsError(
          `${source.name}: holds ${shownName(name)} twice; it is damaged: export the model again`,
        );
      if (tensors.size === MAXIMUM_TENSORS)
        throw new WeightsError(
          `${source.name}: holds more than ${MAXIMUM_TENSORS} tensors, which lrscope does not read`,
        );
      tensors.set(name, tensor);
    }
  }
  if (tensors.size === 0)
    throw new WeightsError(
      `${source.name}: holds no weights: its graph has no initializers. Export the model with its parameters`,
    );
  return { tensors, metadata: { ...metadata }, format: "onnx" };
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

/** Fields of values by number: floats, small integers, int64, raw bytes, doubles. */
const VALUE_FIELDS = new Set([4, 5, 7, 9, 10]);

/** What lies in a tensor's message: its description, and how many values there are in which field. */
interface Described {
  name: string;
  dataType: number;
  external: boolean;
  readonly shape: number[];
  /** By field number. */
  readonly values: Map<number, { parts: number; bytes: number; integers: number }>;
}

/** Nothing of the values is kept: a message may have one field for each of them. */
function describe(source: ByteSource, field: Field): Described {
  const found: Described = {
    name: "",
    dataType: 0,
    external: false,
    shape: [],
    values: new Map(),
  };
  for (const part of fields(source, field.start, field.end)) {
    if (part.number === 1)
      for (const extent of integersOf(source, part)) {
        if (found.shape.length === MAXIMUM_DIMENSIONS)
          throw new WeightsError(
            `${source.name}: a tensor has more than ${MAXIMUM_DIMENSIONS} dimensions; it is damaged`,
          );
        found.shape.push(Number(extent));
      }
    if (part.number === 2) found.dataType = Number(part.value);
    if (part.number === 8) found.name = textOf(source, part);
    if (part.number === 13 || (part.number === 14 && part.value === 1n)) found.external = true;
    if (!VALUE_FIELDS.has(part.number)) continue;
    const { parts, bytes, integers } = found.values.get(part.number) ?? NO_VALUES;
    const listed = part.number === 5 || part.number === 7;
    found.values.set(part.number, {
      parts: parts + 1,
      bytes: bytes + part.end - part.start,
      integers: integers + (listed ? countIntegers(source, part) : 0),
    });
  }
  return found;
}

/** What field 5 may hold. */
const IN_INT32_LISTS: ReadonlySet<ElementType> = new Set<ElementType>([
  ...(["int32", "int16", "int8", "uint8", "bool"] as const),
  ...(["float16", "bfloat16"] as const),
]);

const NO_VALUES = { parts: 0, bytes: 0, integers: 0 };

function readTensor(source: ByteSource, field: Field): { name: string; tensor: StoredTensor } {
  const described = describe(source, field);
  const { name, dataType, external, shape } = described;
  const refuse = (what: string): never => {
    throw new WeightsError(`${source.name}: tensor ${shownName(name)} ${what}`);
  };
  if (external)
    refuse(
      "lies in another file, where newer exporters put it; export the model as one file: torch.onnx.export(model, inputs, path, external_data=False, optimize=False)",
    );
  const type =
    DATA_TYPES[dataType] ?? refuse(`has data type ${dataType}, which lrscope does not read`);
  const count = elementCount(shape);
  if (![...shape, count].every((extent) => Number.isSafeInteger(extent) && extent >= 0))
    refuse(`has shape ${formatShape(shape)}; it is damaged`);
  const data = valuesOf(source, field, { type, count, described, refuse });
  return { name, tensor: { shape, data } };
}

interface Wanted {
  readonly type: ElementType;
  readonly count: number;
  readonly described: Described;
  readonly refuse: (what: string) => never;
}

/** The values, once there are as many as the shape says: before that, nothing is allocated for them. */
function valuesOf(
  source: ByteSource,
  tensor: Field,
  { type, count, described, refuse }: Wanted,
): TensorData {
  const [[number, { parts, bytes, integers }] = [9, NO_VALUES], another] = described.values;
  if (another) refuse("keeps its values in two ways");
  const size = ELEMENT_BYTES[type];
  const check = (found: number) => {
    if (found !== count)
      refuse(`has ${found} values to fill ${formatShape(described.shape)}; it is damaged`);
  };
  const places = function* () {
    for (const part of fields(source, tensor.start, tensor.end))
      if (part.number === number) yield part;
  };
  // Raw bytes, and lists of floats and doubles, are the values as they are.
  if (number === 9 || number === 4 || number === 10) {
    const listed = { 4: "float32", 9: type, 10: "float64" }[number];
    if (listed !== type || (number === 9 && parts > 1)) refuse("keeps its values in a strange way");
    if (bytes % size !== 0) refuse(`has ${bytes} bytes of values; it is damaged`);
    check(bytes / size);
    return tensorData(type, joined(source, places(), { parts, bytes }));
  }
  const isListed = number === 7 ? type === "int64" : IN_INT32_LISTS.has(type);
  if (!isListed) refuse("keeps its values in a strange way");
  check(integers);
  const each = function* () {
    for (const place of places()) yield* integersOf(source, place);
  };
  let at = 0;
  if (type === "int64") {
    const values = new BigInt64Array(count);
    for (const value of each()) values[at++] = value;
    return values;
  }
  // int32_data holds the bits of halves, and the values of small integers.
  const isHalf = type === "float16" || type === "bfloat16";
  const values = new (isHalf ? Uint16Array : type === "uint8" ? Uint8Array : Int32Array)(count);
  for (const value of each()) values[at++] = Number(value);
  return values instanceof Uint16Array ? tensorData(type, new Uint8Array(values.buffer)) : values;
}

function joined(
  source: ByteSource,
  places: Iterable<Field>,
  { parts, bytes }: { parts: number; bytes: number },
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts === 1 ? 0 : bytes);
  let at = 0;
  for (const { start, end } of places) {
    if (parts === 1) return source.read(start, bytes);
    whole.set(source.read(start, end - start), at);
    at += end - start;
  }
  return whole;
}
