import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../core/errors.ts";
import { type Checkpoint, decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

const checkpoint = (
  tensors: Record<string, { shape: number[]; data: Float32Array | Float64Array | Int32Array }>,
  metadata: Record<string, string> = {},
): Checkpoint => ({ tensors: new Map(Object.entries(tensors)), metadata });

/** A file with the header given, true or not, and that many zero bytes of data. */
function fileWith(header: unknown, dataBytes: number, claimed?: bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("encode", () => {
  test("the bytes are the format's, spelled out", () => {
    const bytes = encodeSafetensors(
      checkpoint({ w: { shape: [1, 2], data: Float32Array.of(1, -2) } }, { k: "v" }),
    );
    const header =
      '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, " ");
    expect(new DataView(bytes.buffer).getUint32(0, true)).toBe(padded.length);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length))).toBe(padded);
    expect([...bytes.subarray(8 + padded.length)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });

  test("every tensor begins at a multiple of its element's size", () => {
    const bytes = encodeSafetensors(
      checkpoint({
        a: { shape: [3], data: Int32Array.of(1, 2, 3) },
        b: { shape: [1], data: Float64Array.of(0.1) },
      }),
    );
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(length % 8).toBe(0);
    expect(header.b.data_offsets).toEqual([0, 8]);
    expect(header.a.data_offsets).toEqual([8, 20]);
  });

  test("metadata in another order gives the same bytes", () => {
    const tensors = { x: { shape: [], data: Float32Array.of(7) } };
    expect(encodeSafetensors(checkpoint(tensors, { a: "1", b: "2" }))).toEqual(
      encodeSafetensors(checkpoint(tensors, { b: "2", a: "1" })),
    );
  });

  test("refuses data that does not fill its shape", () => {
    const wrong = checkpoint({ w: { shape: [2, 3], data: new Float32Array(5) } });
    expect(() => encodeSafetensors(wrong)).toThrow(
      'safetensors: "w" must have 6 values to fill [2, 3]; got 5',
    );
  });

  test("refuses the reserved name", () => {
    const wrong = checkpoint({ __metadata__: { shape: [0], data: new Float32Array(0) } });
    expect(() => encodeSafetensors(wrong)).toThrow("reserved");
  });
});

describe("round trip", () => {
  const tensor = fc.array(fc.nat(3), { maxLength: 3 }).chain((shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const fill = { minLength: count, maxLength: count };
    return fc.oneof(
      fc.float32Array(fill).map((data) => ({ shape, data })),
      fc.float64Array(fill).map((data) => ({ shape, data })),
      fc.int32Array(fill).map((data) => ({ shape, data })),
      fc.bigInt64Array(fill).map((data) => ({ shape, data })),
      fc.uint8Array(fill).map((data) => ({ shape, data })),
    );
  });
  const name = fc.string().filter((text) => text !== "__metadata__");

  test("any tensors, any names, any metadata come back to the bit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, tensor)),
        fc.dictionary(fc.string(), fc.string()),
        (entries, metadata) => {
          const tensors = new Map(entries);
          const back = decodeSafetensors(encodeSafetensors({ tensors, metadata }), "x");
          expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
          for (const [key, { shape, data }] of tensors) {
            expect(back.tensors.get(key)!.shape).toEqual(shape);
            expect(back.tensors.get(key)!.data).toEqual(data);
          }
          expect({ ...back.metadata }).toEqual({ ...metadata });
        },
      ),
    );
  });

  test("tensors named as properties of objects are", () => {
    const tensors = new Map(
      ["__proto__", "constructor", "7"].map((key) => [
        key,
        { shape: [1], data: Float32Array.of(key.length) },
      ]),
    );
    const back = decodeSafetensors(encodeSafetensors({ tensors, metadata: {} }), "x");
    expect(back.tensors.get("__proto__")!.data[0]).toBe(9);
    expect(back.tensors.get("constructor")!.data[0]).toBe(11);
  });

  test("tensors are copies, of a Buffer too", () => {
    const bytes = encodeSafetensors(checkpoint({ w: { shape: [1], data: Float32Array.of(3) } }));
    const buffer = Buffer.from(bytes);
    const { data } = decodeSafetensors(buffer, "x").tensors.get("w")!;
    buffer.fill(0);
    expect([...data]).toEqual([3]);
    expect(data.buffer.byteLength).toBe(4);
  });

  test("bytes that lie unaligned within a larger buffer are read", () => {
    const bytes = encodeSafetensors(checkpoint({ w: { shape: [2], data: Float64Array.of(3, 4) } }));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect([...decodeSafetensors(shifted.subarray(3), "x").tensors.get("w")!.data]).toEqual([3, 4]);
  });
});

describe("a hostile or damaged file is refused by name", () => {
  const cases: [string, Uint8Array, string][] = [
    ["empty", new Uint8Array(0), "it has 0 bytes"],
    ["shorter than the length field", new Uint8Array(7), "it has 7 bytes"],
    ["header beyond the file", fileWith("{}", 0, 3n), "claims 3 bytes, 2 follow"],
    ["header of 2^64 - 1 bytes", fileWith("{}", 0, 2n ** 64n - 1n), "the format allows 100000000"],
    ["a PNG", Uint8Array.of(0x89, 80, 78, 71, 13, 10, 26, 10, 0, 0), "the format allows"],
    ["not JSON", fileWith("{not", 0), "its header is not JSON"],
    ["not UTF-8", fileWith("{}", 0).fill(0xff, 8), "its header is not JSON"],
    ["an array", fileWith([], 0), "its header is not a JSON object"],
    ["null", fileWith("null", 0), "its header is not a JSON object"],
    ["an entry of null", fileWith({ w: null }, 0), "has dtype undefined"],
    ["an unknown dtype", fileWith({ w: { ...f32(0, 4), dtype: "F8" } }, 4), 'has dtype "F8"'],
    [
      "a dtype of every object",
      fileWith({ w: { ...f32(0, 4), dtype: "toString" } }, 4),
      "has dtype",
    ],
    ["a negative extent", fileWith({ w: f32(0, 4, [-1, -1]) }, 4), "has shape [-1,-1]"],
    ["a fractional extent", fileWith({ w: f32(0, 4, [0.5, 2]) }, 4), "has shape"],
    ["no shape", fileWith({ w: { dtype: "F32", data_offsets: [0, 4] } }, 4), "has shape undefined"],
    ["one offset", fileWith({ w: { ...f32(0, 4), data_offsets: [0] } }, 4), "has data_offsets [0]"],
    [
      "offsets reversed",
      fileWith({ w: { ...f32(0, 4), data_offsets: [4, 0] } }, 4),
      "spans -4 bytes",
    ],
    [
      "a shape of 2^80 elements",
      fileWith({ w: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4),
      "spans 4 bytes",
    ],
    ["a shape that does not fit", fileWith({ w: f32(0, 8, [3]) }, 8), "takes 12"],
    ["overlap", fileWith({ a: f32(0, 8), b: f32(4, 12) }, 12), 'tensor "b" overlaps'],
    ["two names for one range", fileWith({ a: f32(0, 8), b: f32(0, 8) }, 8), "overlaps"],
    ["a gap", fileWith({ a: f32(0, 4), b: f32(8, 12) }, 12), "4 bytes before tensor"],
    ["cut short", fileWith({ a: f32(0, 8) }, 7), "take 8 bytes, 7 are there"],
    ["a tail", fileWith({ a: f32(0, 8) }, 9), "last 1 bytes belong to no tensor"],
    [
      "metadata that is no object",
      fileWith({ __metadata__: 3 }, 0),
      "__metadata__ is not an object",
    ],
    [
      "metadata that is no text",
      fileWith({ __metadata__: { k: 1 } }, 0),
      'metadata "k" is not text',
    ],
  ];

  test.each(cases)("%s", (_, bytes, found) => {
    const read = () => decodeSafetensors(bytes, "runs/best.safetensors");
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(/^runs\/best\.safetensors: /);
    expect(read).toThrow(found);
  });

  test("every proper prefix of a good file", () => {
    const bytes = encodeSafetensors(
      checkpoint({ w: { shape: [2], data: Float32Array.of(1, 2) } }, { a: "b" }),
    );
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeSafetensors(bytes.subarray(0, length), "x")).toThrow(WeightsError);
  });

  test("a flipped byte is refused or read, and nothing else is thrown", () => {
    const bytes = encodeSafetensors(
      checkpoint({ w: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }, { a: "b" }),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = bytes.slice();
        damaged[at] = damaged[at]! ^ mask;
        try {
          decodeSafetensors(damaged, "x");
        } catch (error) {
          expect(error).toBeInstanceOf(WeightsError);
        }
      }),
    );
  });
});
