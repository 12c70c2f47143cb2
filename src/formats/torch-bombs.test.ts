/**
 * @file Small PyTorch files that ask for much: of memory, of time, of the stack. Each is refused by a WeightsError
 * before more than twice its size is allocated; and what is honest and looks alike is read.
 */

import { describe, expect, test } from "vitest";
import { type ZipEntry, zipOf } from "../../test/fuzz/weight-seeds.ts";
import { WeightsError } from "../core/errors.ts";
import { zlibDecompressor } from "../files/open-weights.ts";
import { type ByteSource, decodeTorch as decodeTorchWith, plainDecompressor } from "./index.ts";
import {
  decode,
  dictionary,
  integer,
  MIB,
  named,
  pickle,
  tensor,
  text,
  torch,
  u32,
} from "./test-bombs.ts";

const decodeTorch = (source: ByteSource) => decodeTorchWith(source, zlibDecompressor);

/** `names` that all mean the first member's bytes: the directory says so, the archive has them once. */
function overlapping(entry: ZipEntry, names: readonly string[]): Buffer {
  const whole = zipOf([{ name: "a/data.pkl", bytes: pickle(dictionary()) }, entry]);
  const end = whole.lastIndexOf("PK\x05\x06", undefined, "latin1");
  const from = whole.readUInt32LE(end + 16);
  const own = whole.lastIndexOf("PK\x01\x02", undefined, "latin1");
  const copies = names.map((name) => {
    const label = Buffer.from(name);
    const record = Buffer.concat([whole.subarray(own, own + 46), label]);
    record.writeUInt16LE(label.length, 28);
    return record;
  });
  const directory = Buffer.concat([whole.subarray(from, end), ...copies]);
  const tail = Buffer.from(whole.subarray(end));
  tail.writeUInt16LE(names.length + 2, 10);
  tail.writeUInt32LE(directory.length, 12);
  return Buffer.concat([whole.subarray(0, from), directory, tail]);
}

describe("PyTorch", () => {
  /** `[` twice the list before, forty times: 2^40 brackets as text, 40 lists in memory. */
  const doubling = () => {
    const keep = (level: number) => [0x71, level, 0x30];
    const levels = Array.from({ length: 39 }, (_, i) => [
      0x5d,
      0x28,
      0x68,
      i,
      0x68,
      i,
      0x65,
      ...keep(i + 1),
    ]);
    return pickle([0x5d, ...keep(0)], ...levels, [0x7d, 0x28, 0x68, 39, 0x4b, 1, 0x75]);
  };
  /** A list in a list, 30,000 deep, as a key. */
  const deep = () => {
    const levels = Array.from({ length: 30_000 }, (_, i) => [
      0x5d,
      0x72,
      ...u32(i + 1),
      0x6a,
      ...u32(i),
      0x61,
      0x30,
    ]);
    return pickle([0x5d, 0x71, 0, 0x30], ...levels, [
      0x7d,
      0x28,
      0x6a,
      ...u32(30_000),
      0x4b,
      1,
      0x75,
    ]);
  };
  /** A dictionary within itself, which looks like a state_dict each time. */
  const endless = () =>
    pickle(
      [0x7d, 0x71, 0, 0x28],
      text("model"),
      [0x68, 0],
      [0x4b, 1],
      tensor("0", 1, [1], [1]),
      [0x75],
    );
  /** One list of 100,000 pairs, copied by every call. */
  const copied = () => {
    const list = [
      0x5d,
      0x71,
      0,
      0x28,
      ...Array<number[]>(100_000).fill([0x4e, 0x4e, 0x86]).flat(),
      0x65,
      0x30,
    ];
    const call = [...named("collections", "OrderedDict"), 0x68, 0, 0x85, 0x52, 0x30];
    return pickle(list, ...Array<number[]>(1000).fill(call), [0x7d]);
  };

  test.each([
    ["lists that double, as a key", doubling(), "its keys are one that is no text"],
    ["lists 30,000 deep, as a key", deep(), "its keys are one that is no text"],
    ["a dictionary in itself", endless(), "holds no state_dict"],
    ["a call for every copy", copied(), "would build more than 64 MiB"],
    [
      "a million dictionaries",
      pickle([...Array(1_000_000).fill(0x7d)]),
      "would build more than 64 MiB",
    ],
    ["a memo of 2^32", pickle([0x5d, 0x72, ...u32(2 ** 32 - 1)]), "keeps number 4294967295"],
    [
      "100,001 dimensions",
      pickle(dictionary([...text("w"), ...tensor("0", 1, Array(100_001).fill(1), [1])])),
      "100001 dimensions",
    ],
    [
      "a terabyte of one number",
      pickle(dictionary([...text("w"), ...tensor("0", 1, [2 ** 20, 2 ** 20], [0, 0])])),
      "repeats few numbers",
    ],
    [
      "64 MiB of one number, in four tensors",
      pickle(
        dictionary(
          ...["a", "b", "c", "d"].map((name) => [...text(name), ...tensor("0", 1, [2 ** 22], [0])]),
        ),
      ),
      "repeats few numbers",
    ],
    [
      "a storage of two types",
      pickle(
        dictionary(
          [...text("f"), ...tensor("0", 1, [1], [1])],
          [...text("i"), ...tensor("0", 1, [1], [1], "Int")],
        ),
      ),
      "said to hold float32 and int32",
    ],
    [
      "a storage that is not there",
      pickle(dictionary([...text("w"), ...tensor("9", 1, [1], [1])])),
      "not in the archive",
    ],
    [
      "a storage larger than its member",
      pickle(dictionary([...text("w"), ...tensor("0", 2 ** 30, [1], [1])])),
      "are declared",
    ],
  ])("%s", (_, root, message) => {
    const bytes = torch(root, [{ name: "a/data/0", bytes: new Uint8Array(4) }]);
    const read = () => decode(bytes, decodeTorch, 24 * MIB);
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(new RegExp(message));
  });

  test("the same, without an archive: a storage of 2^52 elements", () => {
    const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
    const parts = [
      pickle([0x8a, 10, ...magic]),
      pickle(integer(1001)),
      pickle(dictionary()),
      pickle(dictionary([...text("w"), ...tensor("0", 1, [1], [1])])),
      pickle([0x5d, 0x28, ...text("0"), 0x65]),
    ];
    const count = new Uint8Array(BigUint64Array.of(2n ** 52n).buffer);
    const bytes = Buffer.concat([...parts, count, new Uint8Array(16)]);
    expect(() => decode(bytes, decodeTorch)).toThrow(WeightsError);
  });

  test("channels last, 2 MiB: copied once", () => {
    const root = pickle(
      dictionary([...text("w"), ...tensor("0", 2 ** 19, [2 ** 9, 2 ** 10], [1, 2 ** 9])]),
    );
    const values = Float32Array.from({ length: 2 ** 19 }, (_, i) => i);
    const bytes = torch(root, [{ name: "a/data/0", bytes: new Uint8Array(values.buffer) }]);
    const { data } = decode(bytes, decodeTorch).tensors.get("w")!;
    expect([...data.slice(0, 3)]).toEqual([0, 512, 1024]);
  });
});

describe("ZIP", () => {
  const zeros = { name: "a/data/0", bytes: new Uint8Array(MIB) };
  const root = pickle(dictionary([...text("w"), ...tensor("0", 2 ** 18, [2 ** 18], [1])]));
  const names = Array.from({ length: 2000 }, (_, i) => `a/data/${i + 1}`);

  test.each([
    ["2,000 names for one stored MiB", overlapping(zeros, names), "overlaps"],
    [
      "2,000 names for one deflated MiB",
      overlapping({ ...zeros, deflated: true }, names),
      "overlaps",
    ],
    ["a member in the middle of another", shifted(zipOf([zeros, zeros]), 100), "overlaps|twice"],
    [
      "128 MiB of zeros in 130 kB",
      torch(root, [{ name: "a/data/0", bytes: new Uint8Array(128 * MIB), deflated: true }]),
      "unpack to 134217",
    ],
    [
      "eight times 16 MiB of zeros",
      torch(
        root,
        names
          .slice(0, 8)
          .map((name) => ({ name, bytes: new Uint8Array(16 * MIB), deflated: true })),
      ),
      "unpack to 134217",
    ],
    ["one name twice", zipOf([zeros, zeros]), '"a/data/0" twice'],
  ])("%s", (_, bytes, message) => {
    const read = () => decode(bytes, decodeTorch);
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(new RegExp(message));
  });

  /** The directory's last entry moved to where another's data lie. */
  function shifted(archive: Buffer, by: number): Buffer {
    const at = archive.lastIndexOf("PK\x01\x02", undefined, "latin1");
    archive.writeUInt32LE(archive.readUInt32LE(at + 42) - by, at + 42);
    return archive;
  }

  test.each([
    ["a name", 30, "b"],
    ["a method", 8, "\x08"],
    ["a checksum", 14, "!"],
    ["a size", 22, "!"],
  ])("%s that differs in a member's own header", (_, offset, byte) => {
    const bytes = torch(root, [zeros]);
    const at = bytes.indexOf("PK\x03\x04", 4, "latin1");
    bytes.write(byte, at + offset, "latin1");
    expect(() => decode(bytes, decodeTorch)).toThrow("described differently");
  });

  test("64-bit fields that say another thing than the others", () => {
    const bytes = zipOf([{ name: "a/data.pkl", bytes: root }, zeros], { zip64: true });
    expect(decode(bytes, decodeTorch).tensors.get("w")!.shape).toEqual([2 ** 18]);
    const end = bytes.lastIndexOf("PK\x05\x06", undefined, "latin1");
    bytes.writeUInt16LE(1, end + 10);
    expect(() => decode(bytes, decodeTorch)).toThrow("two end records");
  });

  test("deflated weights are read, within what deflating warrants", () => {
    const bytes = torch(root, [{ ...zeros, deflated: true }]);
    expect(decode(bytes, decodeTorch).tensors.get("w")!.data.length).toBe(2 ** 18);
    // Without zlib, some MiB of pieces come on top, whatever the archive's size.
    const plain = (source: ByteSource) => decodeTorchWith(source, plainDecompressor);
    expect(decode(bytes, plain, 16 * MIB).tensors.get("w")!.data.length).toBe(2 ** 18);
  });

  test("a member that unpacks to more than it declares is refused, by whatever unpacks it", () => {
    const honest = torch(root, [{ ...zeros, deflated: true }]);
    const lying = Buffer.from(honest);
    // Of 32 KiB where a MiB comes out: of the second entry of the directory, and of the member's own header.
    const entry = lying.lastIndexOf("PK\x01\x02", undefined, "latin1");
    lying.writeUInt32LE(2 ** 15, entry + 24);
    lying.writeUInt32LE(2 ** 15, lying.lastIndexOf("PK\x03\x04", undefined, "latin1") + 22);
    for (const decompressor of [zlibDecompressor, plainDecompressor])
      expect(() =>
        decode(lying, (source) => decodeTorchWith(source, decompressor), 16 * MIB),
      ).toThrow('member "a/data/0" cannot be unpacked');
  });
});
