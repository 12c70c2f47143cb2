/**
 * @file The members of a ZIP archive, each read when it is asked for. PyTorch's files are archives
 * of uncompressed members with their data at multiples of 64 bytes; libraries that unpack an
 * archive as a whole would hold it twice. Names are keys of a map and never become paths.
 * Source: PKWARE's APPNOTE 6.3.10, sections 4.3 (records) and 4.5.3 (64-bit extension).
 */

import { get } from "../core/at.ts";
import { WeightsError } from "../core/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { type Decompressor, plainDecompressor } from "./decompressor.ts";
import { MAXIMUM_EXPANSION, MAXIMUM_TENSORS, shownName, UNPACKED_FREELY } from "./limits.ts";

export interface ZipMember {
  readonly name: string;
  /** Bytes, unpacked. */
  readonly size: number;
  /** @throws WeightsError where its bytes are missing or its checksum differs */
  read(): Uint8Array<ArrayBuffer>;
}

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** One a tensor, and what PyTorch writes besides. */
const MAXIMUM_MEMBERS = MAXIMUM_TENSORS + 1000;
/** Flag: checksum and sizes follow the data, and the local header has zeros. */
const SIZES_FOLLOW = 8;
const UNKNOWN = 0xffffffff;

/** Whether a file that begins with these bytes is an archive. */
export const looksLikeZip = (start: Uint8Array) =>
  start[0] === 0x50 && start[1] === 0x4b && (start[2] === 3 || start[2] === 5);

/**
 * The members by name. They lie side by side, and unpack to no more than the archive warrants (limits.ts):
 * where thousands of names may mean the same bytes, a small file asks for any amount of memory.
 * @throws WeightsError where the archive is cut short, damaged or encrypted, or its members overlap
 */
export function readZip(
  source: ByteSource,
  decompressor: Decompressor = plainDecompressor,
): Map<string, ZipMember> {
  const refuse = (found: string): never => {
    throw new WeightsError(
      `${source.name}: not a complete ZIP archive: ${found}; download or write it again`,
    );
  };
  const directory = findDirectory(source, refuse);
  const described = readDirectory(source, directory, refuse);
  const placed = withEnds(described, directory.offset, refuse);
  checkExpansion(described, source.size, refuse);
  const members = new Map<string, ZipMember>();
  for (const entry of placed) {
    if (members.has(entry.name)) refuse(`it holds ${shownName(entry.name)} twice`);
    members.set(entry.name, member(source, entry, { decompressor, refuse }));
  }
  return members;
}

interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}

function readDirectory(
  source: ByteSource,
  { entries, offset, size }: Directory,
  refuse: Refuse,
): Described[] {
  const directory = source.read(offset, size);
  const view = new DataView(directory.buffer);
  const described: Described[] = [];
  let at = 0;
  for (let i = 0; i < entries; i++) {
    if (at + ENTRY_BYTES > size || view.getUint32(at, true) !== DIRECTORY_ENTRY)
      refuse(`entry ${i + 1} of ${entries} in its directory is damaged`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    ) as [number, number, number];
    const extra = at + ENTRY_BYTES + nameLength;
    const end = extra + extraLength + commentLength;
    if (end > size) refuse(`entry ${i + 1} of ${entries} in its directory is cut short`);
    described.push({
      name: new TextDecoder().decode(directory.subarray(at + ENTRY_BYTES, extra)),
      nameLength,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      ...sizes(view, at, { extra, extraEnd: extra + extraLength }, refuse),
    });
    at = end;
  }
  return described;
}

/** Each member with where it must have ended: at the next one's header, or at the directory. */
function withEnds(
  members: readonly Described[],
  directory: number,
  refuse: Refuse,
): readonly (Described & { readonly end: number })[] {
  const ends = new Map<Described, number>();
  let next = directory;
  for (const member of [...members].sort((a, b) => b.offset - a.offset)) {
    const { name, nameLength, offset, packed, size } = member;
    if (![offset, packed, size].every(Number.isSafeInteger))
      refuse(`member ${shownName(name)} declares more bytes than any file has`);
    if (offset + LOCAL_BYTES + nameLength + packed > next)
      refuse(
        `member ${shownName(name)}, ${packed} bytes from byte ${offset}, overlaps what begins at byte ${next}`,
      );
    ends.set(member, next);
    next = offset;
  }
  return members.map((member) => ({ ...member, end: get(ends, member, "members") }));
}

function checkExpansion(members: readonly Described[], archive: number, refuse: Refuse): void {
  const allowed = Math.max(UNPACKED_FREELY, MAXIMUM_EXPANSION * archive);
  const unpacked = members.reduce((sum, { size }) => sum + size, 0);
  if (unpacked > allowed)
    refuse(
      `its members unpack to ${unpacked} bytes, of an archive of ${archive} at most ${allowed} are read (PyTorch does not compress: save it again with torch.save)`,
    );
}

type Refuse = (found: string) => never;

function findDirectory(source: ByteSource, refuse: Refuse): Directory {
  // The end record is the last thing but for a comment of at most 65535 bytes.
  const tail = Math.min(source.size, END_BYTES + 65535);
  const start = source.size - tail;
  const bytes = source.read(start, tail);
  const view = new DataView(bytes.buffer);
  let end = tail - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) return refuse("its end record is missing (cut short?)");
  let entries = view.getUint16(end + 10, true);
  let size = view.getUint32(end + 12, true);
  let offset = view.getUint32(end + 16, true);
  const locator = end - 20;
  if (locator >= 0 && view.getUint32(locator, true) === END64_LOCATOR) {
    const at = Number(view.getBigUint64(locator + 8, true));
    const record = new DataView(source.read(at, 56).buffer);
    if (record.getUint32(0, true) !== END64) refuse("its 64-bit end record is damaged");
    const [entries64, size64, offset64] = [32, 40, 48].map((field) =>
      Number(record.getBigUint64(field, true)),
    ) as [number, number, number];
    const agree =
      (entries === entries64 || entries === 0xffff) &&
      (size === size64 || size === UNKNOWN) &&
      (offset === offset64 || offset === UNKNOWN);
    if (!agree) refuse("its two end records say different things");
    [entries, size, offset] = [entries64, size64, offset64];
  }
  if (offset + size > start + end || entries * ENTRY_BYTES > size)
    refuse(`its directory of ${entries} entries lies beyond its end`);
  if (entries > MAXIMUM_MEMBERS)
    refuse(`it has ${entries} members, at most ${MAXIMUM_MEMBERS} are read`);
  return { entries, offset, size };
}

/** Sizes and place of a member; where they exceed 32 bits, the extra field 1 holds them. */
function sizes(
  view: DataView,
  at: number,
  { extra, extraEnd }: { extra: number; extraEnd: number },
  refuse: Refuse,
) {
  let packed = view.getUint32(at + 20, true);
  let size = view.getUint32(at + 24, true);
  let offset = view.getUint32(at + 42, true);
  for (let field = extra; field + 4 <= extraEnd; ) {
    const length = view.getUint16(field + 2, true);
    const fieldEnd = field + 4 + length;
    if (fieldEnd > extraEnd) break;
    if (view.getUint16(field, true) === 1) {
      let value = field + 4;
      const next = () => {
        if (value + 8 > fieldEnd) return refuse("a 64-bit size is cut short");
        value += 8;
        return Number(view.getBigUint64(value - 8, true));
      };
      if (size === UNKNOWN) size = next();
      if (packed === UNKNOWN) packed = next();
      if (offset === UNKNOWN) offset = next();
    }
    field = fieldEnd;
  }
  return { packed, size, offset };
}

interface Described {
  readonly name: string;
  /** Bytes of the name. */
  readonly nameLength: number;
  readonly flags: number;
  readonly method: number;
  readonly checksum: number;
  readonly packed: number;
  readonly size: number;
  /** Of its local header. */
  readonly offset: number;
}

function member(
  source: ByteSource,
  described: Described & { readonly end: number },
  { decompressor, refuse }: { readonly decompressor: Decompressor; readonly refuse: Refuse },
): ZipMember {
  const { name, flags, method, checksum, packed, size, offset, end } = described;
  const label = `member ${shownName(name)}`;
  return {
    name,
    size,
    read() {
      if (flags & 1) refuse(`${label} is encrypted`);
      const data = findData();
      const bytes = unpack(source.read(data, packed));
      // Writers that were told to leave checksums out write 0.
      if (checksum !== 0 && decompressor.crc32(bytes) !== checksum)
        refuse(`${label} has a wrong checksum`);
      return bytes;
    },
  };

  /** Position of the first byte, once the header before it agrees with the directory. */
  function findData(): number {
    const header = new DataView(source.read(offset, LOCAL_BYTES).buffer);
    if (header.getUint32(0, true) !== LOCAL_HEADER) refuse(`${label} has no header`);
    const nameLength = header.getUint16(26, true);
    const data = offset + LOCAL_BYTES + nameLength + header.getUint16(28, true);
    if (data + packed > end) refuse(`${label} overlaps what begins at byte ${end}`);
    const written = new TextDecoder().decode(source.read(offset + LOCAL_BYTES, nameLength));
    const agrees = (field: number, value: number) => {
      const found = header.getUint32(field, true);
      return found === value || found === UNKNOWN || (flags & SIZES_FOLLOW && found === 0);
    };
    if (
      written !== name ||
      header.getUint16(8, true) !== method ||
      !(agrees(14, checksum) && agrees(18, packed) && agrees(22, size))
    )
      refuse(`${label} is described differently in its own header and in the directory`);
    return data;
  }

  function unpack(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (method === 0) {
      if (packed !== size) refuse(`${label} is stored in ${packed} bytes and declares ${size}`);
      return bytes;
    }
    if (method !== 8) refuse(`${label} is compressed by method ${method}`);
    // Deflate shrinks by 1032 at best: a larger claim is a lie.
    if (size > packed * 1032 + 64) refuse(`${label} declares ${size} bytes out of ${packed}`);
    const inflated = (() => {
      try {
        return decompressor.inflate(bytes, size);
      } catch {
        return refuse(`${label} cannot be unpacked`);
      }
    })();
    if (inflated.length !== size) refuse(`${label} unpacks to ${inflated.length} bytes of ${size}`);
    return inflated;
  }
}
