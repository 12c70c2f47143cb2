/** @file A large PyTorch file is read without being held twice: what is allocated, counted. */

import { expect, test } from "vitest";
import type { ByteSource } from "./byte-source.ts";
import { decodeTorch } from "./index.ts";

const STORAGES = 4;
const ELEMENTS = 5_500_000;
const text = (value: string) => [
  0x58,
  ...new Uint8Array(Uint32Array.of(value.length).buffer),
  ...Buffer.from(value),
];
const named = (module: string, name: string) => [...Buffer.from(`c${module}\n${name}\n`)];
const integer = (value: number) => [0x4a, ...new Uint8Array(Int32Array.of(value).buffer)];
const tuple = (...parts: number[][]) => [0x28, ...parts.flat(), 0x74];
const pickle = (...parts: number[][]) => [0x80, 2, ...parts.flat(), 0x2e];
const dictionary = (...items: number[][]) => [0x7d, 0x28, ...items.flat(), 0x75];

/** What torch.save writes without a ZIP archive, up to the storages. Source: torch/serialization.py, 1.13. */
function preamble(): Uint8Array {
  const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const key = (i: number) => text(String(i));
  const tensor = (i: number) => [
    ...named("torch._utils", "_rebuild_tensor_v2"),
    ...tuple(
      [
        ...tuple(
          text("storage"),
          named("torch", "FloatStorage"),
          key(i),
          text("cpu"),
          integer(ELEMENTS),
          [0x4e],
        ),
        0x51,
      ],
      integer(0),
      tuple(integer(ELEMENTS)),
      tuple(integer(1)),
      [0x89],
      [...named("collections", "OrderedDict"), 0x29, 0x52],
    ),
    0x52,
  ];
  const all = Array.from({ length: STORAGES }, (_, i) => i);
  return Uint8Array.from([
    ...pickle([0x8a, magic.length, ...magic]),
    ...pickle(integer(1001)),
    ...pickle(dictionary(text("little_endian"), [0x88])),
    ...pickle(dictionary(...all.map((i) => [...text(`w${i}`), ...tensor(i)]))),
    ...pickle([0x5d, 0x28, ...all.flatMap(key), 0x65]),
  ]);
}

test("88 MB of float32 take less than twice that", () => {
  const begin = preamble();
  const each = 8 + 4 * ELEMENTS;
  const size = begin.length + STORAGES * each;
  const allocated: ArrayBuffer[] = [];
  // The file is made as it is read: counts of elements, and zeros.
  const source: ByteSource = {
    name: "large.pth",
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < Math.min(length, begin.length - offset); i++)
        bytes[i] = begin[offset + i]!;
      for (let storage = 0; storage < STORAGES; storage++) {
        const count = new Uint8Array(BigUint64Array.of(BigInt(ELEMENTS)).buffer);
        const at = begin.length + storage * each - offset;
        for (const [i, byte] of count.entries())
          if (at + i >= 0 && at + i < length) bytes[at + i] = byte;
      }
      allocated.push(bytes.buffer);
      return bytes;
    },
  };
  const { tensors } = decodeTorch(source);
  expect([...tensors.keys()]).toEqual(["w0", "w1", "w2", "w3"]);
  for (const { shape, data } of tensors.values()) {
    expect(shape).toEqual([ELEMENTS]);
    allocated.push(data.buffer as ArrayBuffer);
  }
  const total = [...new Set(allocated)].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  expect(total).toBeGreaterThan(size - begin.length - 8 * STORAGES - 1);
  expect(total).toBeLessThan(2 * size);
});
