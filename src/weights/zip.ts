/**
 * @file The members of a ZIP archive, each read when it is asked for. PyTorch's files are archives
 * of uncompressed members with their data at multiples of 64 bytes; libraries that unpack an
 * archive as a whole would hold it twice. Names are keys of a map and never become paths.
 * Source: PKWARE's APPNOTE 6.3.10, sections 4.3 (records) and 4.5.3 (64-bit extension).
 */

import { inflateRawSync } from "node:zlib";
import { WeightsError } from "../core/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { crc32 } from "./crc32.ts";

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
const UNKNOWN = 0xffffffff;

/** Whether a file that begins with these bytes is an archive. */
export const looksLikeZip = (start: Uint8Array) =>
  start[0] === 0x50 && start[1] === 0x4b && (start[2] === 3 || start[2] === 5);

/**
 * The members by name.
 * @throws WeightsError where the archive is cut short, damaged or encrypted
 */
export function readZip(source: ByteSource): Map<string, ZipMember> {
  const refuse = (found: string): never => {
    throw new WeightsError(
      `${source.name}: not a complete ZIP archive: ${found}; download or write it again`,
    );
  };
  const { entries, offset, size } = findDirectory(source, refuse);
  const directory = source.read(offset, size);
  const view = new DataView(directory.buffer);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < entries; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== DIRECTORY_ENTRY)
      refuse(`entry ${i + 1} of ${entries} in its directory is damaged`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    ) as [number, number, number];
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > size) refuse(`entry ${i + 1} of ${entries} in its directory is cut short`);
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
    const extra = at + 46 + nameLength;
    const described = {
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      ...sizes(view, at, { extra, extraEnd: extra + extraLength }, refuse),
    };
    if (members.has(name)) refuse(`it holds "${name.slice(0, 200)}" twice`);
    members.set(name, member(source, described, refuse));
    at = end;
  }
  return members;
}

type Refuse = (found: string) => never;

function findDirectory(source: ByteSource, refuse: Refuse) {
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
    entries = Number(record.getBigUint64(32, true));
    size = Number(record.getBigUint64(40, true));
    offset = Number(record.getBigUint64(48, true));
  }
  if (offset + size > source.size || entries * 46 > size)
    refuse(`its directory of ${entries} entries lies beyond its end`);
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
  readonly flags: number;
  readonly method: number;
  readonly checksum: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

function member(source: ByteSource, described: Described, refuse: Refuse): ZipMember {
  const { name, flags, method, checksum, packed, size, offset } = described;
  const label = `member "${name.slice(0, 200)}"`;
  return {
    name,
    size,
    read() {
      if (flags & 1) refuse(`${label} is encrypted`);
      const header = new DataView(source.read(offset, 30).buffer);
      if (header.getUint32(0, true) !== LOCAL_HEADER) refuse(`${label} has no header`);
      const data = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
      const bytes = unpack(source.read(data, packed));
      // Writers that were told to leave checksums out write 0.
      if (checksum !== 0 && crc32(bytes) !== checksum) refuse(`${label} has a wrong checksum`);
      return bytes;
    },
  };

  function unpack(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (method === 0) {
      if (packed !== size) refuse(`${label} is stored in ${packed} bytes and declares ${size}`);
      return bytes;
    }
    if (method !== 8) refuse(`${label} is compressed by method ${method}`);
    // Deflate shrinks by 1032 at best: a larger claim is a lie.
    if (size > packed * 1032 + 64) refuse(`${label} declares ${size} bytes out of ${packed}`);
    try {
      const inflated = inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
      if (inflated.length !== size)
        refuse(`${label} unpacks to ${inflated.length} bytes of ${size}`);
      return new Uint8Array(inflated);
    } catch (error) {
      if (error instanceof WeightsError) throw error;
      return refuse(`${label} cannot be unpacked`);
    }
  }
}
