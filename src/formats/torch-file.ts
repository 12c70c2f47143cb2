/**
 * @file PyTorch's files (.pth, .pt): `torch.save` of a state_dict, or of a dictionary that holds
 * one. Two containers: a ZIP archive (PyTorch 1.6 and later) and a sequence of pickles followed by
 * the storages (before). Nothing of the file is executed; see pickle.ts.
 */

import { WeightsError } from "../core/errors.ts";
import { ByteReader, type ByteSource } from "./byte-source.ts";
import type { Decompressor } from "./decompressor.ts";
import { ELEMENT_BYTES } from "./element-types.ts";
import { MAXIMUM_TENSORS, shownName } from "./limits.ts";
import { unpickle } from "./pickle.ts";
import { PickleBudget, PyDict, type PyValue } from "./pickle-values.ts";
import type { Checkpoint, StoredTensor } from "./safetensors.ts";
import {
  isTensor,
  type StorageReference,
  storageReference,
  TensorFetcher,
  type TensorReference,
  torchNames,
} from "./torch-tensors.ts";
import { looksLikeZip, readZip, type ZipMember } from "./zip.ts";

/** First number of a file of the older format. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** Keys under which training scripts keep the state_dict. */
const NESTED = ["state_dict", "model_state_dict", "model", "net", "module", "weights"];

/**
 * Reads a PyTorch file. Half and bfloat16 become float32; "module." (DataParallel) is taken off.
 * @param decompressor of archives; default one in plain JavaScript
 * @throws WeightsError where it is damaged, holds no state_dict, or holds anything but tensors, numbers,
 * text and containers (named)
 */
export function decodeTorch(source: ByteSource, decompressor?: Decompressor): Checkpoint {
  const start = source.read(0, Math.min(source.size, 300));
  if (looksLikeZip(start)) return decodeArchive(source, decompressor);
  if (start[0] === 0x80) return decodeOlder(source);
  const tar = new TextDecoder("latin1").decode(start.subarray(257, 262)) === "ustar";
  throw new WeightsError(
    tar
      ? `${source.name}: is a PyTorch file of 2016 (tar); load and save it with a PyTorch of version 1 first`
      : `${source.name}: is no PyTorch file: it begins neither as a ZIP archive nor as a pickle; write it with torch.save(model.state_dict(), path)`,
  );
}

function decodeArchive(source: ByteSource, decompressor: Decompressor | undefined): Checkpoint {
  const members = readZip(source, decompressor);
  const pickles = [...members].filter(([name]) => /^[^/]*\/?data\.pkl$/.test(name));
  const [found] = pickles;
  if (found === undefined || pickles.length > 1)
    throw new WeightsError(
      `${source.name}: is a ZIP archive of ${members.size} members without the one data.pkl of a PyTorch file; write it with torch.save(model.state_dict(), path)`,
    );
  const [path, pickled] = found;
  const prefix = path.slice(0, -"data.pkl".length);
  if (members.has(`${prefix}constants.pkl`))
    throw new WeightsError(
      `${source.name}: is a TorchScript program; save its weights alone: torch.save(model.state_dict(), path)`,
    );
  const byteOrder = members.get(`${prefix}byteorder`);
  if (byteOrder && byteOrder.size < 16 && new TextDecoder().decode(byteOrder.read()) === "big")
    throw new WeightsError(
      `${source.name}: was written on a big-endian machine; save it on another`,
    );
  const pickle = pickled.read();
  const root = unpickle(new ByteReader(inMemory(pickle, source.name)), namesOf(source));
  const fetcher = fetcherOf(source, (storage) => {
    const member: ZipMember | undefined = members.get(`${prefix}data/${storage.key}`);
    if (!member)
      throw new WeightsError(
        `${source.name}: storage ${shownName(storage.key)} is not in the archive; it is damaged`,
      );
    return exactly(source, storage, member.read());
  });
  return checkpointOf(source, root, fetcher);
}

/** Three pickles of preamble, the object, the storages' keys, then each storage: count and bytes. */
function decodeOlder(source: ByteSource): Checkpoint {
  const reader = new ByteReader(source);
  const names = namesOf(source);
  const magic = unpickle(reader, names);
  if (magic !== MAGIC)
    throw new WeightsError(
      `${source.name}: is a pickle, and no PyTorch file; write it with torch.save(model.state_dict(), path)`,
    );
  unpickle(reader, names);
  const system = unpickle(reader, names);
  if (system instanceof PyDict && system.texts().get("little_endian") === false)
    throw new WeightsError(
      `${source.name}: was written on a big-endian machine; save it on another`,
    );
  const types = new Map<string, StorageReference>();
  const root = unpickle(reader, {
    ...names,
    persistent(id) {
      const storage = storageReference(id, source.name);
      types.set(storage.key, storage);
      return storage;
    },
  });
  const keys = unpickle(reader, names);
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string"))
    throw new WeightsError(`${source.name}: its list of storages is damaged`);
  const places = new Map<string, { offset: number; elements: number }>();
  for (const key of keys) {
    const storage = types.get(key as string);
    if (!storage)
      throw new WeightsError(
        `${source.name}: holds a storage that nothing refers to; it is damaged`,
      );
    const elements = reader.unsigned64();
    places.set(storage.key, { offset: reader.position, elements });
    reader.position += elements * ELEMENT_BYTES[storage.type];
  }
  const fetcher = fetcherOf(source, (storage) => {
    const place = places.get(storage.key);
    if (!place)
      throw new WeightsError(
        `${source.name}: storage ${shownName(storage.key)} is not in the file; it is damaged`,
      );
    const bytes = source.read(place.offset, place.elements * ELEMENT_BYTES[storage.type]);
    return exactly(source, { ...storage, elements: storage.elements }, bytes);
  });
  return checkpointOf(source, root, fetcher);
}

const inMemory = (bytes: Uint8Array, name: string): ByteSource => ({
  name,
  size: bytes.length,
  read: (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
});

const namesOf = (source: ByteSource) => ({
  subject: source.name,
  budget: new PickleBudget(source.name),
  resolve: torchNames(source.name),
  persistent: (id: PyValue) => storageReference(id, source.name),
});

const fetcherOf = (
  source: ByteSource,
  fetch: (storage: StorageReference) => Uint8Array<ArrayBuffer>,
) => new TensorFetcher({ subject: source.name, fetch });

function exactly(
  source: ByteSource,
  { key, type, elements }: StorageReference,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (bytes.length < elements * ELEMENT_BYTES[type] || bytes.length % ELEMENT_BYTES[type] !== 0)
    throw new WeightsError(
      `${source.name}: storage ${shownName(key)} has ${bytes.length} bytes, ${elements} elements of ${type} are declared; it is damaged`,
    );
  return bytes;
}

function checkpointOf(source: ByteSource, root: PyValue, fetcher: TensorFetcher): Checkpoint {
  const entries = stateDict(root);
  if (!entries)
    throw new WeightsError(
      `${source.name}: holds no state_dict (a dictionary of tensors by name)${root instanceof PyDict ? `; its keys are ${keysOf(root)}` : ""}. Write it with torch.save(model.state_dict(), path)`,
    );
  if (entries.length > MAXIMUM_TENSORS)
    throw new WeightsError(
      `${source.name}: holds ${entries.length} tensors; lrscope reads at most ${MAXIMUM_TENSORS}. Save those of one network`,
    );
  const tensors = new Map<string, StoredTensor>();
  for (const [name, reference] of entries) tensors.set(name, fetcher.tensor(name, reference));
  return { tensors, metadata: {} };
}

const keysOf = ({ entries }: PyDict) =>
  entries
    .slice(0, 10)
    .map(([key]) => shownKey(key))
    .join(", ") + (entries.length > 10 ? ", ..." : "");

/** What is nested is not written out: a text of it may be longer than any memory. */
function shownKey(key: PyValue): string {
  if (typeof key === "string") return shownName(key);
  const isPlain = key === null || typeof key !== "object";
  return isPlain ? `"${String(key)}"` : "one that is no text";
}

/** Tensors by name, of the dictionary itself or of the one it holds under a usual key. */
function stateDict(root: PyValue): [string, TensorReference][] | null {
  if (!(root instanceof PyDict)) return null;
  const entries = root.texts();
  const own = tensorsOf(entries);
  if (own.length > 0) return own;
  for (const key of NESTED) {
    const nested = entries.get(key);
    // One level: deeper ones would have to be guessed.
    const within = nested instanceof PyDict ? tensorsOf(nested.texts()) : [];
    if (within.length > 0) return within;
  }
  return null;
}

function tensorsOf(entries: ReadonlyMap<string, PyValue>): [string, TensorReference][] {
  const own = [...entries].filter((entry): entry is [string, TensorReference] =>
    isTensor(entry[1]),
  );
  const parallel = own.every(([name]) => name.startsWith("module."));
  return parallel ? own.map(([name, value]) => [name.slice("module.".length), value]) : own;
}
