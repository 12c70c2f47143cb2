import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../core/errors.ts";
import { type ByteSource, memorySource } from "./byte-source.ts";
import { decodeOnnx, decodeTorch, encodeSafetensors, safetensorsFrom } from "./index.ts";
import { MessageWriter } from "./protobuf.ts";

const fixtures = fileURLToPath(new URL("../../test/parity/fixtures/torch/", import.meta.url));
const torchFile = (name: string) => new Uint8Array(readFileSync(`${fixtures}${name}`));

const onnx = new MessageWriter()
  .integer(1, 8)
  .message(7, (graph) =>
    graph
      .message(5, (tensor) =>
        tensor.integer(1, 2).integer(2, 1).text(8, "w").bytes(9, new Uint8Array(8).fill(63)),
      )
      .message(5, (tensor) =>
        tensor
          .integer(1, 2)
          .integer(2, 7)
          .text(8, "n")
          .bytes(7, Uint8Array.of(1, 0x80, 1)),
      ),
  )
  .message(14, (entry) => entry.text(1, "classes").text(2, "[]"))
  .finish();
const safetensors = encodeSafetensors({
  tensors: new Map([["w", { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]]),
  metadata: { a: "b" },
});

const samples: [string, Uint8Array, (source: ByteSource) => unknown][] = [
  ["zip.pth", torchFile("zip.pth"), decodeTorch],
  ["older.pth", torchFile("older.pth"), decodeTorch],
  ["nested.pth", torchFile("nested.pth"), decodeTorch],
  ["a model of ONNX", onnx, decodeOnnx],
  ["safetensors", safetensors, safetensorsFrom],
];

/** Reads the bytes; whatever is refused must be refused by a WeightsError that names the file. */
function readOrRefuse(bytes: Uint8Array, decode: (source: ByteSource) => unknown): boolean {
  let largest = 0;
  const source = memorySource(bytes, "some.file");
  const watched: ByteSource = {
    ...source,
    read(offset, length) {
      largest = Math.max(largest, length);
      return source.read(offset, length);
    },
  };
  try {
    decode(watched);
    return true;
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    expect(error.message).toContain("some.file");
    expect(error.message.length).toBeLessThan(1000);
    return false;
  } finally {
    // Nothing larger than the file is ever asked for and granted.
    if (largest > bytes.length) expect(() => source.read(0, largest)).toThrow(WeightsError);
  }
}

describe.each(samples)("%s", (_, bytes, decode) => {
  test("as it is, it is read", () => {
    expect(readOrRefuse(bytes, decode)).toBe(true);
  });

  test("cut at any length, it is refused", () => {
    const step = Math.max(1, Math.floor(bytes.length / 400));
    // ONNX has no end mark: a file that ends between two fields is whole.
    const mayBeWhole = decode === decodeOnnx;
    for (let length = 0; length < bytes.length; length += step) {
      const read = readOrRefuse(bytes.subarray(0, length), decode);
      if (!mayBeWhole) expect(read, `length ${length}`).toBe(false);
    }
  });

  test("with bits flipped anywhere, it is read or refused, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 }),
        (flips) => {
          const damaged = bytes.slice();
          for (const [at, bit] of flips) damaged[at] = damaged[at]! ^ (1 << bit);
          readOrRefuse(damaged, decode);
        },
      ),
      { numRuns: 600 },
    );
  });

  test("with pieces moved, doubled or overwritten by large numbers", () => {
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 16 }),
        fc.boolean(),
        (from, to, length, large) => {
          const damaged = bytes.slice();
          if (large) damaged.fill(0xff, to, Math.min(to + length, damaged.length));
          else damaged.copyWithin(to, from, Math.min(from + length, damaged.length));
          readOrRefuse(damaged, decode);
        },
      ),
      { numRuns: 600 },
    );
  });
});

test("random bytes behind each format's first bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2), (tail, kind) => {
      const starts = [
        [0x80, 2],
        [0x50, 0x4b, 3, 4],
        [0x3a, 0x40],
      ];
      const bytes = Uint8Array.from([...starts[kind]!, ...tail]);
      readOrRefuse(bytes, kind === 2 ? decodeOnnx : decodeTorch);
    }),
    { numRuns: 600 },
  );
});

describe("pickles written by hand", () => {
  const pickle = (...bytes: (number | string)[]) =>
    Uint8Array.from(
      bytes.flatMap((part) =>
        typeof part === "number" ? [part] : [...part].map((letter) => letter.charCodeAt(0)),
      ),
    );
  const read = (bytes: Uint8Array) => decodeTorch(memorySource(bytes, "x.pth"));

  test("a list that holds itself is no state_dict, and no endless loop", () => {
    // ] q0 h0 a . in place of the magic number
    expect(() => read(pickle(0x80, 2, "]q", 0, "h", 0, "a."))).toThrow("no PyTorch file");
  });

  test.each([
    ["a huge text", pickle(0x80, 4, 0x8d, 255, 255, 255, 255, 255, 255, 31, 0), "announced"],
    ["a text beyond 2^53", pickle(0x80, 4, 0x8d, 0, 0, 0, 0, 0, 0, 0, 64), "declares a length"],
    ["a huge integer", pickle(0x80, 2, 0x8b, 255, 255, 255, 127), "an integer of"],
    ["a module as a path", pickle(0x80, 2, "c../../etc\npasswd\n."), '"../../etc.passwd"'],
    ["eval", pickle(0x80, 2, "cbuiltins\neval\n(X", 1, 0, 0, 0, "1tR."), '"builtins.eval"'],
    ["an object of a class", pickle(0x80, 2, "(ios\nsystem\n."), "(INST)"],
    ["an empty stack", pickle(0x80, 2, "0."), "an empty stack"],
    ["a bracket never opened", pickle(0x80, 2, "t."), "never opened"],
    ["a memo never kept", pickle(0x80, 2, "h", 9, "."), "never kept"],
    ["no end", pickle(0x80, 2, "NNNN"), "cut short"],
  ])("%s", (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(WeightsError);
    expect(() => read(bytes)).toThrow(message);
  });
});

test("the fixtures are all there", () => {
  expect(readdirSync(fixtures).length).toBeGreaterThan(10);
});
