/**
 * @file The safetensors format, over bytes in memory. A file is the header's length (u64, little
 * endian), the header (JSON: name -> dtype, shape, [begin, end), and `__metadata__`), and the
 * tensors' bytes. Reading trusts nothing: a file comes from anywhere.
 * Source: the format section of the safetensors project's README, version 0.4.
 */

import { WeightsError } from "../core/errors.ts";
import { elementCount, formatShape, type Shape } from "../core/shapes.ts";
import { type ByteSource, memorySource } from "./byte-source.ts";
import { ELEMENT_BYTES, type ElementType, tensorData } from "./element-types.ts";
import { MAXIMUM_DIMENSIONS, MAXIMUM_HEADER_BYTES, shownName, shownText } from "./limits.ts";
import { checkHeaderText } from "./safetensors-header.ts";

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor in plain, row-major order; the class of `data` says its dtype. */
export interface StoredTensor {
  readonly shape: Shape;
  readonly data: TensorData;
}

/** Named tensors and what is said about them: a safetensors file in memory. */
export interface Checkpoint {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Free text by key; structured values are JSON by agreement of writer and reader. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of a PyTorch file: keys that lead to the tensors, joined by dots, "" where they lie at the top. */
  readonly part?: string;
  /** Of a PyTorch file: where else it has tensors, at most ten places. */
  readonly otherParts?: readonly string[];
  /** "onnx" of an ONNX model, whose weights its exporter may have changed and renamed. */
  readonly format?: "onnx";
}

/** Longer ones the format does not allow. */
const FORMAT_HEADER_BYTES = 100_000_000;
const PREFIX_BYTES = 8;

/** What is written, by the class of the data. */
const WRITTEN = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;
export type WrittenDType = keyof typeof WRITTEN;

/** What is read. */
const READ = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Record<string, ElementType>;
type ReadDType = keyof typeof READ;

const isDType = (value: unknown): value is ReadDType =>
  typeof value === "string" && Object.hasOwn(READ, value);

export function dtypeOf(data: TensorData): WrittenDType {
  for (const dtype of Object.keys(WRITTEN) as WrittenDType[])
    if (data instanceof WRITTEN[dtype]) return dtype;
  throw new WeightsError(
    "safetensors: data must be a Float64, Float32, BigInt64, Int32 or Uint8 array",
  );
}

export const bytesOf = (data: TensorData): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * The bytes of a safetensors file. Equal checkpoints give equal bytes: metadata is sorted by key;
 * tensors lie widest dtype first, so that each begins at a multiple of its own size, then as given.
 * @throws WeightsError where a tensor's data does not fill its shape, or a name is reserved
 */
export function encodeSafetensors(checkpoint: Checkpoint): Uint8Array {
  const pieces = safetensorsPieces(checkpoint);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * The same bytes in pieces, for whoever sends them: the head, and then each tensor's as they lie in memory, not copied.
 * @throws WeightsError as encodeSafetensors
 */
export function safetensorsPieces({ tensors, metadata }: Checkpoint): Uint8Array[] {
  const described = [...tensors].map(([name, { shape, data }]) => ({
    ...{ name, shape, data },
    ...{ dtype: dtypeOf(data), length: data.length },
  }));
  const { head, order } = safetensorsHead(described, metadata);
  return [head, ...order.map(({ data }) => bytesOf(data))];
}

/** A tensor as a file's header describes it. */
export interface DescribedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: WrittenDType;
  /** Values. */
  readonly length: number;
}

/**
 * What stands before the tensors' bytes, and the order in which those follow.
 * @throws WeightsError as encodeSafetensors
 */
export function safetensorsHead<T extends DescribedTensor>(
  tensors: readonly T[],
  metadata: Checkpoint["metadata"],
): { readonly head: Uint8Array; readonly order: readonly T[] } {
  const order = [...tensors].sort((a, b) => widthOf(b) - widthOf(a));
  // No prototype: a tensor may be called "__proto__".
  const header: Record<string, unknown> = Object.create(null);
  const texts: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))
    texts[key] = text;
  if (Object.keys(metadata).length > 0) header.__metadata__ = texts;
  let offset = 0;
  for (const tensor of order) {
    const { name, shape, dtype, length } = tensor;
    if (name === "__metadata__")
      throw new WeightsError(
        'safetensors: "__metadata__" is reserved; give the tensor another name',
      );
    if (elementCount(shape) !== length)
      throw new WeightsError(
        `safetensors: "${name}" must have ${elementCount(shape)} values to fill ${formatShape(shape)}; got ${length}`,
      );
    const bytes = length * widthOf(tensor);
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(PREFIX_BYTES + headerBytes).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(json, PREFIX_BYTES);
  return { head, order };
}

const widthOf = ({ dtype }: Pick<DescribedTensor, "dtype">) => WRITTEN[dtype].BYTES_PER_ELEMENT;

interface Entry {
  readonly name: string;
  readonly dtype: ReadDType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/** A tensor of a file that is not read yet. */
export interface PlacedTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  /** Of its first byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The checkpoint in the bytes of a safetensors file; tensors are copies.
 * @param file what messages call it
 * @throws WeightsError for anything that a complete, well-formed file cannot be
 */
export const decodeSafetensors = (bytes: Uint8Array, file: string): Checkpoint =>
  safetensorsFrom(memorySource(bytes, file));

/**
 * The checkpoint in a source of bytes. Each tensor is read into memory of its own, so a file takes
 * its size once. F16 and BF16 become float32; I16, I8 and BOOL int32.
 * @throws WeightsError as decodeSafetensors
 */
export function safetensorsFrom(source: ByteSource): Checkpoint {
  const layout = safetensorsLayout(source);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, type, offset, bytes } of layout.tensors)
    tensors.set(name, { shape, data: tensorData(type, source.read(offset, bytes)) });
  return { tensors, metadata: layout.metadata };
}

/** Bytes of a tensor that are read at a time; a multiple of every element's. */
const PIECE = 1 << 20;

/** What `safetensorsFrom` makes of a tensor, a piece at a time: one at least, of a tensor without elements an empty one. */
export function* tensorPieces(
  source: ByteSource,
  { type, offset, bytes }: PlacedTensor,
): Generator<TensorData> {
  let done = 0;
  do {
    const length = Math.min(PIECE, bytes - done);
    yield tensorData(type, source.read(offset + done, length));
    done += length;
  } while (done < bytes);
}

/**
 * Where the tensors of a file lie, and what it says of them; none of them is read.
 * @throws WeightsError as decodeSafetensors
 */
export function safetensorsLayout(source: ByteSource): {
  readonly tensors: readonly PlacedTensor[];
  readonly metadata: Checkpoint["metadata"];
} {
  const { name: file } = source;
  const refuse = (found: string): never => {
    throw new WeightsError(
      `${file}: not a complete safetensors file: ${found}; write or download it again`,
    );
  };
  const { header, dataStart } = readHeader(source, refuse);
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = checkMetadata(value, refuse);
    else entries.push(checkEntry(name, value, { file, refuse }));
  }
  checkCoverage(entries, source.size - dataStart, refuse);
  const tensors = entries.map(({ name, dtype, shape, begin, end }) => ({
    ...{ name, shape, type: READ[dtype] },
    ...{ offset: dataStart + begin, bytes: end - begin },
  }));
  return { tensors, metadata };
}

type Refuse = (found: string) => never;

function readHeader(source: ByteSource, refuse: Refuse) {
  if (source.size < PREFIX_BYTES)
    refuse(`it has ${source.size} bytes, the header's length alone takes 8`);
  const length = new DataView(source.read(0, PREFIX_BYTES).buffer).getBigUint64(0, true);
  if (length > BigInt(FORMAT_HEADER_BYTES))
    refuse(`its header claims ${length} bytes, the format allows ${FORMAT_HEADER_BYTES}`);
  if (length > BigInt(MAXIMUM_HEADER_BYTES))
    refuse(`its header claims ${length} bytes, at most ${MAXIMUM_HEADER_BYTES} are read`);
  const dataStart = PREFIX_BYTES + Number(length);
  if (dataStart > source.size)
    refuse(`its header claims ${length} bytes, ${source.size - PREFIX_BYTES} follow`);
  const text = decodeText(source.read(PREFIX_BYTES, Number(length)));
  if (text === null) return refuse("its header is not JSON");
  checkHeaderText(text, refuse);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    refuse("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    refuse("its header is not a JSON object");
  return { header: header as Record<string, unknown>, dataStart };
}

function decodeText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function checkMetadata(value: unknown, refuse: Refuse): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse("its __metadata__ is not an object");
  for (const [key, text] of Object.entries(value as object))
    if (typeof text !== "string") refuse(`its metadata ${shownName(key)} is not text`);
  return value as Record<string, string>;
}

/** Shallow, as the header is. */
const shownValue = (value: unknown) =>
  typeof value === "string" ? shownName(value) : shownText(String(JSON.stringify(value)), 200);

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(
  name: string,
  value: unknown,
  { file, refuse }: { file: string; refuse: Refuse },
): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (!isDType(dtype))
    throw new WeightsError(
      `${file}: tensor ${shownName(name)} has dtype ${shownValue(dtype)}; lrscope reads ${Object.keys(READ).join(", ")}: convert it first`,
    );
  if (!Array.isArray(shape) || shape.length > MAXIMUM_DIMENSIONS || !shape.every(isCount))
    return refuse(`tensor ${shownName(name)} has shape ${shownValue(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return refuse(`tensor ${shownName(name)} has data_offsets ${shownValue(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const wanted = elementCount(shape) * ELEMENT_BYTES[READ[dtype]];
  if (!Number.isSafeInteger(wanted) || end - begin !== wanted)
    refuse(
      `tensor ${shownName(name)} spans ${end - begin} bytes, ${dtype} ${formatShape(shape)} takes ${wanted}`,
    );
  return { name, dtype, shape, begin, end };
}

/** Tensors cover the data without gap or overlap: nothing hides between them, none alias. */
function checkCoverage(entries: readonly Entry[], dataBytes: number, refuse: Refuse): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin < covered) refuse(`tensor ${shownName(name)} overlaps another`);
    if (begin > covered)
      refuse(`${begin - covered} bytes before tensor ${shownName(name)} belong to no tensor`);
    covered = end;
  }
  if (covered > dataBytes)
    refuse(`its tensors take ${covered} bytes, ${dataBytes} are there (cut short?)`);
  if (covered < dataBytes) refuse(`its last ${dataBytes - covered} bytes belong to no tensor`);
}
