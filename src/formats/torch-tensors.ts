/**
 * @file What a PyTorch pickle may name: storages by element type, the functions that make tensors of
 * them, ordered dictionaries and sizes. A tensor is only described here: its values are fetched
 * once the whole pickle was read and the tensors that matter are known.
 * Source: torch/_utils.py and torch/serialization.py of PyTorch 1.13 and 2.4.
 */

import { at } from "../core/at.ts";
import { WeightsError } from "../core/errors.ts";
import { elementCount } from "../core/shapes.ts";
import { ELEMENT_BYTES, type ElementType, tensorData } from "./element-types.ts";
import { MAXIMUM_DIMENSIONS, shownName } from "./limits.ts";
import { PyDict, PyName, type PyObject, PySet, PyTuple, type PyValue } from "./pickle-values.ts";
import type { StoredTensor, TensorData } from "./safetensors.ts";

/** A reference to a storage of the file. */
export interface StorageReference extends PyObject {
  readonly kind: "storage";
  readonly type: ElementType;
  /** Which one; a key, never a path. */
  readonly key: string;
  /** Its elements, of `type`. */
  readonly elements: number;
  /** Elements before this reference's first (views of the older format). */
  readonly start: number;
}

/** A tensor before its values are fetched. */
export interface TensorReference extends PyObject {
  readonly kind: "tensor";
  readonly storage: StorageReference;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const STORAGE_TYPES: Readonly<Record<string, ElementType>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

/** `torch.float16` and the like, as later versions name the type of an untyped storage. */
const DTYPES: Readonly<Record<string, ElementType>> = {
  float64: "float64",
  double: "float64",
  float32: "float32",
  float: "float32",
  float16: "float16",
  half: "float16",
  bfloat16: "bfloat16",
  int64: "int64",
  int32: "int32",
  int16: "int16",
  int8: "int8",
  uint8: "uint8",
  bool: "bool",
};

const isObject = (value: PyValue | undefined, kind: string): value is PyObject =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === kind;

export const isStorage = (value: PyValue | undefined): value is StorageReference =>
  isObject(value, "storage");
export const isTensor = (value: PyValue | undefined): value is TensorReference =>
  isObject(value, "tensor");

/** Kinds of tensors that are none of plain numbers, and what helps. */
const OTHER_TENSORS: readonly (readonly [name: RegExp, advice: string])[] = [
  [
    /^torch\.(q(u?int)\d|_utils\._rebuild_qtensor|QU?Int)|quantized/,
    "its weights are quantised, which no network here computes with. Give those of the float model, from before it was quantised",
  ],
  [
    /^torch\.float(8|4)_/,
    "lrscope reads floats of 16, 32 and 64 bits. Convert them: torch.save({name: value.float() for name, value in state_dict.items()}, path)",
  ],
  [/^torch\.Complex/, "no network here has complex weights. Give those of another network"],
  [
    /sparse/,
    "lrscope reads dense tensors. Convert them: torch.save({name: value.to_dense() for name, value in state_dict.items()}, path)",
  ],
  [
    /meta_tensor/,
    "a tensor on the device “meta” has a shape and no values. Save the weights after they are loaded",
  ],
  [
    /_dtensor|DTensor|ShardedTensor/i,
    "a part of a tensor that is spread over processes. Gather the whole: get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))",
  ],
];

/** What a refused name is of, and what helps; undefined for any other. */
export const adviceFor = (name: string): string | undefined =>
  OTHER_TENSORS.find(([kind]) => kind.test(name))?.[1];

/** The names that a PyTorch file may use; anything else is refused by the reader. */
export function torchNames(subject: string): (name: string) => PyName | undefined {
  const damaged = (what: string): never => {
    throw new WeightsError(`${subject}: ${what}; it is damaged`);
  };
  const counts = (value: PyValue | undefined, of: string): number[] => {
    const items = value instanceof PyTuple ? value.items : Array.isArray(value) ? value : undefined;
    if (items && items.length > MAXIMUM_DIMENSIONS)
      return damaged(`a tensor has ${items.length} dimensions`);
    if (!items?.every((item) => Number.isSafeInteger(item) && (item as number) >= 0))
      return damaged(`a tensor's ${of} is no list of counts`);
    return items as number[];
  };
  const tensor = (args: readonly PyValue[], dtype?: ElementType): TensorReference => {
    const [storage, offset] = args;
    if (!isStorage(storage)) return damaged("a tensor is made of something that is no storage");
    if (!Number.isSafeInteger(offset) || (offset as number) < 0)
      return damaged("a tensor's offset is no count");
    const shape = counts(args[2], "size");
    const strides = counts(args[3], "stride");
    if (strides.length !== shape.length)
      return damaged(`a tensor of ${shape.length} dimensions has ${strides.length} strides`);
    return {
      kind: "tensor",
      storage: dtype ? retyped(storage, dtype) : storage,
      offset: offset as number,
      shape,
      strides,
    };
  };
  const callable: Record<string, (args: readonly PyValue[]) => PyValue> = {
    "torch._utils._rebuild_tensor": (args) => tensor(args),
    "torch._utils._rebuild_tensor_v2": (args) => tensor(args),
    "torch._utils._rebuild_tensor_v3": (args) => {
      const dtype =
        args[6] instanceof PyName ? DTYPES[args[6].name.replace("torch.", "")] : undefined;
      return dtype ? tensor(args, dtype) : damaged("a tensor of an unknown element type");
    },
    "torch._utils._rebuild_parameter": ([value]) =>
      isTensor(value) ? value : damaged("a parameter is made of something that is no tensor"),
    "torch._utils._rebuild_parameter_with_state": ([value]) =>
      isTensor(value) ? value : damaged("a parameter is made of something that is no tensor"),
    "collections.OrderedDict": (args) => {
      const dictionary = new PyDict();
      if (args.length === 0) return dictionary;
      const pairs = Array.isArray(args[0]) ? args[0] : damaged("a dictionary of no pairs");
      for (const pair of pairs) {
        const items = pair instanceof PyTuple ? pair.items : Array.isArray(pair) ? pair : [];
        if (items.length !== 2) return damaged("a dictionary of no pairs");
        dictionary.entries.push([at(items, 0, "pair"), at(items, 1, "pair")]);
      }
      return dictionary;
    },
    // A parameter with attributes of its own, or of a class of its own: the tensor alone is read.
    "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => {
      if (!(rebuild instanceof PyName) || !/^torch\._utils\._rebuild_/.test(rebuild.name))
        return damaged("a tensor is made by something else than PyTorch");
      return rebuild.call && args instanceof PyTuple
        ? rebuild.call(args.items)
        : damaged(`a tensor is made by ${shownName(rebuild.name)}`);
    },
    "torch.Size": (args) => args[0] ?? new PyTuple([]),
    "torch.device": (args) => new PyTuple(args),
    // Nothing that is read from a file asks what a set holds.
    "builtins.set": () => new PySet(),
    "__builtin__.set": () => new PySet(),
    // What else lies beside a state_dict, of which only the place is kept: milestones, bytes, scores.
    ...Object.fromEntries(
      [
        ...["collections.Counter", "_codecs.encode", "torch.serialization._get_layout"],
        ...["bytearray", "complex"].flatMap((of) => [`builtins.${of}`, `__builtin__.${of}`]),
        ...["core", "_core"].map((room) => `numpy.${room}.multiarray.scalar`),
      ].map((of) => [of, (args: readonly PyValue[]) => new PyTuple(args)]),
    ),
    // Attributes are put into these, and are not kept.
    ...Object.fromEntries(
      [
        "numpy.dtype",
        ...["core", "_core"].map((room) => `numpy.${room}.multiarray._reconstruct`),
      ].map((of) => [of, () => new PyDict()]),
    ),
  };
  const classes = ["torch.Tensor", "torch.nn.parameter.Parameter", "numpy.ndarray"];
  return (name) => {
    if (classes.includes(name)) return new PyName(name);
    if (Object.hasOwn(callable, name)) return new PyName(name, callable[name]);
    const [, rest] = /^torch(?:\.cuda|\.storage)?\.(\w+)$/.exec(name) ?? [];
    if (rest === undefined) return undefined;
    const known =
      Object.hasOwn(STORAGE_TYPES, rest) ||
      Object.hasOwn(DTYPES, rest) ||
      rest === "UntypedStorage";
    return known ? new PyName(`torch.${rest}`) : undefined;
  };
}

/** An untyped storage counts bytes; its tensors say what they are. */
function retyped(storage: StorageReference, type: ElementType): StorageReference {
  const bytes = storage.elements * ELEMENT_BYTES[storage.type];
  return { ...storage, type, elements: Math.floor(bytes / ELEMENT_BYTES[type]), start: 0 };
}

/**
 * The storage that a persistent id means: ("storage", type, key, location, elements[, view]).
 * @throws WeightsError for another tuple, or an element type that lrscope does not read
 */
export function storageReference(id: PyValue, subject: string): StorageReference {
  const [tag, type, key, , elements, view] = id instanceof PyTuple ? id.items : [];
  const refuse = (what: string): never => {
    throw new WeightsError(`${subject}: ${what}; it is damaged`);
  };
  if (tag !== "storage" || typeof key !== "string" || !(type instanceof PyName))
    return refuse("a reference that is no storage");
  const short = type.name.replace("torch.", "");
  const elementType = short === "UntypedStorage" ? "uint8" : STORAGE_TYPES[short];
  if (!elementType) return refuse(`a storage of type ${shownName(type.name)}`);
  if (!Number.isSafeInteger(elements) || (elements as number) < 0)
    return refuse(`storage ${shownName(key)} has no count of elements`);
  let start = 0;
  if (view instanceof PyTuple) {
    const offset = view.items[1];
    if (!Number.isSafeInteger(offset) || (offset as number) < 0)
      return refuse("a view without an offset");
    start = offset as number;
  }
  return { kind: "storage", type: elementType, key, elements: elements as number, start };
}

/** Elements that a tensor reaches in its storage, from the storage's first. */
function reach({ offset, shape, strides }: TensorReference): number {
  if (shape.includes(0)) return 0;
  return (
    offset + shape.reduce((sum, extent, i) => sum + (extent - 1) * at(strides, i, "strides"), 0) + 1
  );
}

/** Of tensors that are not contiguous, whatever the file's size. */
const COPIED_FREELY = 16 * 2 ** 20;

/** Whether its elements lie one after the other. */
function isContiguous({ shape, strides }: TensorReference): boolean {
  let expected = 1;
  for (const [i, extent] of [...shape.entries()].reverse()) {
    if (extent !== 1 && strides[i] !== expected) return false;
    expected *= extent;
  }
  return true;
}

/**
 * Values of tensors. Storages are fetched and widened once; contiguous tensors are views of them,
 * others copies. Copies may take as much as the storages that were fetched and COPIED_FREELY bytes besides,
 * as a stride of 0 can make terabytes of one number.
 */
export class TensorFetcher {
  private readonly storages = new Map<string, { type: ElementType; values: TensorData }>();
  private readonly fetchBytes: (storage: StorageReference) => Uint8Array<ArrayBuffer>;
  private readonly subject: string;
  private copied = 0;
  private fetched = 0;

  /** @param fetch bytes of a storage at the start of a buffer of their own */
  constructor(options: {
    subject: string;
    fetch: (storage: StorageReference) => Uint8Array<ArrayBuffer>;
  }) {
    this.subject = options.subject;
    this.fetchBytes = options.fetch;
  }

  /** @throws WeightsError where the tensor reaches beyond its storage, or the storage is not there */
  tensor(name: string, reference: TensorReference): StoredTensor {
    const { storage, shape, strides } = reference;
    const values = this.values(storage);
    const offset = storage.start + reference.offset;
    const count = elementCount(shape);
    const last = reach({ ...reference, offset });
    if (!Number.isSafeInteger(last) || !Number.isSafeInteger(count) || last > values.length)
      throw new WeightsError(
        `${this.subject}: tensor ${shownName(name)} reaches element ${last} of a storage of ${values.length}; it is damaged`,
      );
    if (isContiguous(reference)) return { shape, data: values.subarray(offset, offset + count) };
    this.copied += count * values.BYTES_PER_ELEMENT;
    if (this.copied > this.fetched + COPIED_FREELY)
      throw new WeightsError(
        `${this.subject}: tensor ${shownName(name)} repeats few numbers to [${shape.join(", ")}]; save it contiguous: tensor.contiguous()`,
      );
    const data = new (values.constructor as Float32ArrayConstructor)(count) as TensorData;
    const index = shape.map(() => 0);
    for (let i = 0, place = offset; i < count; i++) {
      data[i] = values[place]!;
      for (let d = shape.length - 1; d >= 0; d--) {
        place += strides[d]!;
        if (++index[d]! < shape[d]!) break;
        place -= strides[d]! * shape[d]!;
        index[d] = 0;
      }
    }
    return { shape, data };
  }

  private values(storage: StorageReference): TensorData {
    const { key, type } = storage;
    const known = this.storages.get(key);
    if (known && known.type !== type)
      throw new WeightsError(
        `${this.subject}: storage ${shownName(key)} is said to hold ${known.type} and ${type}, which PyTorch does not write; it is damaged`,
      );
    if (known) return known.values;
    const values = tensorData(type, this.fetchBytes(storage));
    this.storages.set(key, { type, values });
    this.fetched += values.byteLength;
    return values;
  }
}
