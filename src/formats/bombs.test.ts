/**
 * @file Small ONNX and safetensors files that ask for much: of memory, of time, of the stack. Each is refused by a WeightsError
 * before more than twice its size is allocated; and what is honest and looks alike is read.
 */

import { describe, expect, test } from "vitest";
import { WeightsError } from "../core/errors.ts";
import { decodeOnnx, decodeSafetensors, encodeOnnx } from "./index.ts";
import { MessageWriter } from "./protobuf.ts";
import { decode, MIB } from "./test-bombs.ts";

describe("ONNX", () => {
  const model = (fill: (tensor: MessageWriter) => void) =>
    new MessageWriter()
      .integer(1, 8)
      .message(7, (graph) => graph.message(5, fill))
      .finish();
  const large = new Uint8Array(200_000).fill(1);
  const [raw, none] = [new Uint8Array(4), new Uint8Array(0)];

  test.each([
    [
      "200,000 dimensions",
      model((t) => t.bytes(1, large).integer(2, 1).text(8, "w").bytes(9, raw)),
      "64 dimensions",
    ],
    [
      "a count beyond 2^53",
      model((t) =>
        t
          .integer(1, 2 ** 40)
          .integer(1, 2 ** 40)
          .integer(2, 1)
          .text(8, "w")
          .bytes(9, none),
      ),
      "has shape",
    ],
    [
      "2^40 values",
      model((t) =>
        t
          .integer(1, 2 ** 40)
          .integer(2, 1)
          .text(8, "w")
          .bytes(9, raw),
      ),
      "1 values to fill",
    ],
    [
      "negative extents",
      model((t) => t.integer(1, -1).integer(1, -1).integer(2, 1).text(8, "w").bytes(9, raw)),
      "has shape",
    ],
    [
      "values elsewhere",
      model((t) =>
        t
          .integer(1, 1)
          .integer(2, 1)
          .text(8, "w")
          .message(13, (e) => e.text(1, "location").text(2, "../x")),
      ),
      "another file",
    ],
    ["a group", Uint8Array.of(8, 8, 0x3b, 0x3c), "wire type 3"],
  ])("%s", (_, bytes, message) => {
    const read = () => decode(bytes, decodeOnnx);
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(message);
  });

  test("500,000 values, each a field of its own", () => {
    const fields = new Uint8Array(1_000_000).map((_, i) => (i % 2 === 0 ? 0x38 : i % 128));
    const described = new MessageWriter().integer(1, 500_000).integer(2, 7).text(8, "w").finish();
    const message = Buffer.concat([described, fields]);
    const bytes = new MessageWriter()
      .integer(1, 8)
      .message(7, (graph) => graph.bytes(5, message))
      .finish();
    const { data } = decode(bytes, decodeOnnx, 8 * MIB).tensors.get("w")!;
    expect([data.length, data[1], data[499_999]]).toEqual([500_000, 3n, 63n]);
  });

  test("a message of 300,000 parts is written", () => {
    const tensors = Array.from({ length: 30_000 }, (_, id) => ({
      ...{ id, name: `w${id}`, role: "parameter" as const, shape: [1], dtype: "f32" as const },
    }));
    const images = {
      id: 30_000,
      name: "images",
      role: "images" as const,
      shape: [1, 1],
      dtype: "f32" as const,
    };
    const graph = {
      name: "wide",
      batch: 1,
      tensors: [...tensors, images],
      nodes: [],
      outputs: { logits: 30_000 },
    };
    const stored = new Map(
      tensors.map(({ name }) => [name, { shape: [1], data: Float32Array.of(1) }]),
    );
    const bytes = encodeOnnx({ graph, tensors: stored });
    expect(decode(bytes, decodeOnnx, 64 * MIB).tensors.size).toBe(30_000);
  });
});

describe("safetensors", () => {
  const file = (header: string, data = new Uint8Array(0)) => {
    const json = Buffer.from(header);
    const prefix = new Uint8Array(BigUint64Array.of(BigInt(json.length)).buffer);
    return Buffer.concat([prefix, json, data]);
  };
  const entry = (shape: string, offsets: string) =>
    `{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}`;
  const eight = new Uint8Array(8);
  const many = Array.from({ length: 100_001 }, (_, i) => `"${i}":${entry("[0]", "[0,0]")}`);

  test.each([
    [
      "a name twice",
      file(`{"a":${entry("[2]", "[0,8]")},"a":${entry("[1,2]", "[0,8]")}}`, eight),
      'has "a" twice',
    ],
    [
      "twice, one of them in escapes",
      file(`{"a":${entry("[2]", "[0,8]")},"\\u0061":${entry("[2]", "[0,8]")}}`, eight),
      'has "a" twice',
    ],
    [
      "a field twice",
      file('{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', eight),
      'has "dtype" twice',
    ],
    ["metadata twice", file('{"__metadata__":{"x":"1","x":"2"}}'), 'has "x" twice'],
    ["five million brackets", file(`{"a":${"[".repeat(5_000_000)}`), "nests deeper"],
    ["a header of 99 MB", file(" ".repeat(99_000_000)), "at most 33554432"],
    ["100,001 tensors", file(`{${many.join(",")}}`), "more than 100000 entries"],
    [
      "a list of a million",
      file(`{"a":{"shape":[${"0,".repeat(1_000_000)}0]}}`),
      "more than 64 items",
    ],
    [
      "a million fields",
      file(`{"a":{${Array.from({ length: 1e5 }, (_, i) => `"${i}":0`).join(",")}}}`),
      "more than 16 entries",
    ],
    [
      "a count with an exponent",
      file(`{"a":${entry("[2e0]", "[0,8]")}}`, eight),
      "2e0 where the format has plain digits",
    ],
    ["minus zero", file(`{"a":${entry("[-0]", "[0,0]")}}`), "-0 where"],
  ])("%s", (_, bytes, message) => {
    const read = () => decode(bytes, (source) => decodeSafetensors(bytes, source.name));
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(message);
  });

  test("names that objects have of themselves are names like others", () => {
    const header = `{"__proto__":${entry("[1]", "[0,4]")},"constructor":${entry("[1]", "[4,8]")},"__metadata__":{"__proto__":"x"}}`;
    const { tensors, metadata } = decodeSafetensors(file(header, eight), "some.file");
    expect([...tensors.keys()]).toEqual(["__proto__", "constructor"]);
    expect(Object.entries(metadata)).toEqual([["__proto__", "x"]]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });

  test("a name in a message is short, and controls no terminal", () => {
    const name = `\u001b[31m${"x".repeat(1000)}`;
    const bytes = file(`{${JSON.stringify(name)}:${entry("[9]", "[0,8]")}}`, eight);
    expect(() => decodeSafetensors(bytes, "some.file")).toThrow(/tensor "\\x1b\[31mx{115}\.\.\."/);
  });
});
