/**
 * @file PyTorch's files (.pth, .pt): `torch.save` of a state_dict, or of a dictionary that holds
 * one. Two containers: a ZIP archive (PyTorch 1.6 and later) and a sequence of pickles followed by
 * the storages (before). Either may be the one of its kind in another archive, as Python packages (.whl) carry
 * weights. Nothing of the file is executed; see pickle.ts.
 */

import { WeightsError } from "../core/errors.ts";
import { ByteReader, type ByteSource } from "./byte-source.ts";
import type { Decompressor } from "./decompressor.ts";
import { ELEMENT_BYTES } from "./element-types.ts";
import { MAXIMUM_TENSORS, shownName, shownText, UNPACKED_FREELY } from "./limits.ts";
import { unpickle } from "./pickle.ts";
import { PickleBudget, PyDict, type PyValue } from "./pickle-values.ts";
import type { Checkpoint, StoredTensor } from "./safetensors.ts";
import { stateDicts } from "./state-dict.ts";
import {
  adviceFor,
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

/** How a file of weights is read. */
export interface ReadOptions {
  /**
   * Names of the network's parameters: of several dictionaries of tensors, the one that holds most of them is
   * read. Default: the one under a usual key ("state_dict", "model", ...), else the file's own.
   */
  readonly wanted?: ReadonlySet<string>;
}

/**
 * Reads a PyTorch file. Half and bfloat16 become float32; "module." (DataParallel) is taken off.
 * @param decompressor of archives; default one in plain JavaScript
 * @throws WeightsError where it is damaged, holds no state_dict, or holds anything but tensors, numbers,
 * text and containers (named)
 */
export function decodeTorch(
  source: ByteSource,
  decompressor?: Decompressor,
  options: ReadOptions = {},
): Checkpoint {
  return decode(source, { ...options, decompressor });
}

/** What a file's pickle says, and where the values of its tensors are had. */
interface Pickled {
  readonly root: PyValue;
  readonly fetcher: TensorFetcher;
}

interface DecodeOptions extends ReadOptions {
  readonly decompressor: Decompressor | undefined;
  /** It lies in an archive, and may be none of that kind itself. */
  readonly isPackaged?: boolean;
}

function decode(source: ByteSource, options: DecodeOptions): Checkpoint {
  const start = source.read(0, Math.min(source.size, 300));
  if (looksLikeZip(start)) return readArchive(source, options);
  if (start[0] === 0x80) return checkpointOf(source, readOlder(source), options.wanted);
  const tar = new TextDecoder("latin1").decode(start.subarray(257, 262)) === "ustar";
  throw new WeightsError(
    tar
      ? `${source.name}: is a PyTorch file of 2016 (tar); load and save it with a PyTorch of version 1 first`
      : `${source.name}: is no PyTorch file: it begins neither as a ZIP archive nor as a pickle; write it with torch.save(model.state_dict(), path)`,
  );
}

function readArchive(source: ByteSource, options: DecodeOptions): Checkpoint {
  const members = readZip(source, options.decompressor);
  const pickles = [...members].filter(([name]) => /^[^/]*\/?data\.pkl$/.test(name));
  const [found] = pickles;
  if (found && pickles.length === 1)
    return checkpointOf(source, readMembers(source, members, found), options.wanted);
  const isFile = ({ name }: ZipMember) => !options.isPackaged && /\.(pth|pt)$/.test(name);
  const files = pickles.length === 0 ? [...members.values()].filter(isFile) : [];
  const [file] = files;
  if (file && files.length === 1) return readPackaged(source, file, options);
  throw new WeightsError(
    `${source.name}: is a ZIP archive of ${members.size} members without the one data.pkl of a PyTorch file${files.length > 1 ? `, and with ${files.length} such files (${shownName(files[0]?.name ?? "")}, ...); unpack it, and give one of them` : "; write it with torch.save(model.state_dict(), path)"}`,
  );
}

/** The one PyTorch file within an archive. It is unpacked in memory as a whole, beside the values that it holds. */
function readPackaged(source: ByteSource, file: ZipMember, options: DecodeOptions): Checkpoint {
  const allowed = Math.max(UNPACKED_FREELY, 2 * source.size);
  if (file.size > allowed)
    throw new WeightsError(
      `${source.name}: ${shownName(file.name)} in it unpacks to ${file.size} bytes, at most ${allowed} are read; unpack it, and give the file itself`,
    );
  const inner = inMemory(file.read(), `${source.name}: ${shownName(file.name)}`);
  const checkpoint = decode(inner, { ...options, isPackaged: true });
  const part = checkpoint.part ? `${file.name}: ${checkpoint.part}` : file.name;
  return { ...checkpoint, part: shownText(part) };
}

function readMembers(
  source: ByteSource,
  members: ReadonlyMap<string, ZipMember>,
  [path, pickled]: readonly [string, ZipMember],
): Pickled {
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
  return { root, fetcher };
}

/** Three pickles of preamble, the object, the storages' keys, then each storage: count and bytes. */
function readOlder(source: ByteSource): Pickled {
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
  return { root, fetcher };
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
  adviceFor,
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

function checkpointOf(
  source: ByteSource,
  { root, fetcher }: Pickled,
  wanted: ReadonlySet<string> | undefined,
): Checkpoint {
  const [taken, ...others] = stateDicts(root, wanted);
  if (!taken)
    throw new WeightsError(
      `${source.name}: holds no state_dict (a dictionary of tensors by name)${root instanceof PyDict ? `; its keys are ${keysOf(root)}${listsOf(root)}` : ""}. Write it with torch.save(model.state_dict(), path)`,
    );
  if (taken.tensors.size > MAXIMUM_TENSORS)
    throw new WeightsError(
      `${source.name}: holds ${taken.tensors.size} tensors; lrscope reads at most ${MAXIMUM_TENSORS}. Save those of one network`,
    );
  const tensors = new Map<string, StoredTensor>();
  for (const [name, reference] of withoutParallel(taken.tensors))
    tensors.set(name, fetcher.tensor(name, reference));
  // Those that could be meant, and not the tensors of a loss.
  const otherParts = others
    .filter((other) => 2 * other.tensors.size >= taken.tensors.size)
    .slice(0, 10)
    .map(({ part }) => part);
  return { tensors, metadata: {}, part: taken.part, otherParts };
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

/** Averages of weights are saved so by some: parameters in their order, without names. */
function listsOf({ entries }: PyDict): string {
  const [key] =
    entries.find(
      ([, value]) => Array.isArray(value) && value.length > 0 && value.every(isTensor),
    ) ?? [];
  return key === undefined ? "" : `, of which ${shownKey(key)} lists tensors without their names`;
}

/** DataParallel's "module." taken off, where every parameter has it; AveragedModel counts beside them. */
function withoutParallel(
  tensors: ReadonlyMap<string, TensorReference>,
): ReadonlyMap<string, TensorReference> {
  const isCounter = (name: string) => name === "n_averaged";
  const names = [...tensors.keys()];
  if (!names.every((name) => isCounter(name) || name.startsWith("module."))) return tensors;
  if (names.every(isCounter)) return tensors;
  return new Map(
    [...tensors].map(([name, value]) => [
      isCounter(name) ? name : name.slice("module.".length),
      value,
    ]),
  );
}
