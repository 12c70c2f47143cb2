/** @file Whole files of weights of each format, small, for mutations to begin from. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { elementCount } from "../../src/core/shapes.ts";
import { crc32 } from "../../src/formats/crc32.ts";
import {
  encodeOnnx,
  encodeSafetensors,
  memorySource,
  type StoredTensor,
} from "../../src/formats/index.ts";
import { MessageWriter } from "../../src/formats/protobuf.ts";
import { readZip } from "../../src/formats/zip.ts";
import type { Network } from "../../src/ir/index.ts";
import * as layers from "../../src/layers/index.ts";

export type WeightFormat = "safetensors" | "checkpoint" | "torch zip" | "torch older" | "onnx";

export interface WeightSeed {
  readonly name: string;
  readonly format: WeightFormat;
  readonly bytes: Buffer;
}

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../parity/fixtures/torch/${name}`, import.meta.url)));

/** Of every op that layers make. */
export const smallNetwork: Network = layers.network({
  name: "small",
  inputShape: [3, 8, 8],
  classes: 3,
  layer: layers.sequential([
    layers.conv2d({ channels: 4, kernel: 3, padding: 1, bias: false }),
    layers.batchNorm(),
    layers.relu(),
    layers.residual({ branch: layers.conv2d({ channels: 4, kernel: 3, padding: 1, groups: 2 }) }),
    layers.maxPool2d({ kernel: 2 }),
    layers.relu6(),
    layers.adaptiveAveragePool2d({ size: 2 }),
    layers.flatten(),
    layers.dropout({ p: 0.5 }),
    layers.linear({ features: 3 }),
  ]),
});

function weightsOf(of: Network): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, role, shape } of of.build(1).tensors)
    if (role === "parameter" || role === "statistic") {
      const data = Float32Array.from(
        { length: elementCount(shape) },
        (_, i) => (i % 7) / 8 + 0.125,
      );
      tensors.set(name, { shape, data });
    }
  return tensors;
}

/** As makeCheckpoint writes it, without a checksum: a hostile file has the one that fits. */
export function checkpointOf(of: Network = smallNetwork): {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
} {
  const [channels, size] = of.inputShape;
  const described = {
    model: of.name,
    graph: of.build(1),
    classes: Array.from({ length: of.classes }, (_, i) => `class ${i}`),
    channels,
    size,
    mean: Array(channels).fill(0.5),
    std: Array(channels).fill(0.25),
    preprocessing: { resize: "cover", filter: "triangle", size, channels },
    dataset: "synthetic",
    arm: "adam",
    seed: 0,
    epoch: 1,
    update: 4,
  };
  const metadata: Record<string, string> = { format: "lrscope-1" };
  for (const [key, value] of Object.entries(described)) metadata[key] = JSON.stringify(value);
  return { tensors: weightsOf(of), metadata };
}

/** One whose predictions are made with a state of the optimizer's, as last.safetensors may be. */
function averagedCheckpoint(): Buffer {
  const { tensors, metadata } = checkpointOf();
  for (const [name, tensor] of [...tensors])
    if (!name.includes("running_")) tensors.set(`${name}:average`, tensor);
  return Buffer.from(
    encodeSafetensors({ tensors, metadata: { ...metadata, evaluationWeights: '"average"' } }),
  );
}

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflated?: boolean;
}

/** A ZIP archive of these members; `zip64` writes sizes of 64 bits throughout. */
export function zipOf(entries: readonly ZipEntry[], { zip64 = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  const put = (list: Buffer[], fields: readonly (readonly [number, number])[]) => {
    const record = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
    let at = 0;
    for (const [width, value] of fields) {
      if (width === 8) record.writeBigUInt64LE(BigInt(value), at);
      else record.writeUIntLE(value, at, width);
      at += width;
    }
    list.push(record);
    return record.length;
  };
  for (const { name, bytes, deflated = false } of entries) {
    const packed = deflated ? deflateRawSync(bytes) : Buffer.from(bytes);
    const [method, checksum, label] = [deflated ? 8 : 0, crc32(bytes), Buffer.from(name)];
    const [small, large] = zip64 ? [0xffffffff, 0xffffffff] : [packed.length, bytes.length];
    const common = [
      [2, 0],
      [2, method],
      [4, 0],
      [4, checksum],
      [4, small],
      [4, large],
    ] as const;
    put(directory, [[4, 0x02014b50], [2, 45], [2, 45], ...common, [2, label.length]]);
    put(directory, [
      [2, zip64 ? 28 : 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
    ]);
    put(directory, [[4, zip64 ? 0xffffffff : offset]]);
    directory.push(label);
    if (zip64)
      put(directory, [
        [2, 1],
        [2, 24],
        [8, bytes.length],
        [8, packed.length],
        [8, offset],
      ]);
    offset += put(parts, [[4, 0x04034b50], [2, 45], ...common, [2, label.length], [2, 0]]);
    parts.push(label, packed);
    offset += label.length + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end: Buffer[] = [];
  const count = entries.length;
  if (zip64) {
    put(end, [
      [4, 0x06064b50],
      [8, 44],
      [2, 45],
      [2, 45],
      [4, 0],
      [4, 0],
      [8, count],
      [8, count],
    ]);
    put(end, [
      [8, size],
      [8, offset],
      [4, 0x07064b50],
      [4, 0],
      [8, offset + size],
      [4, 1],
    ]);
  }
  put(end, [
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, size],
    [4, offset],
    [2, 0],
  ]);
  return Buffer.concat([...parts, ...directory, ...end]);
}

/** Lists in every way that ONNX has: raw, packed, one by one; of floats, doubles, integers, halves. */
function onnxLists(): Buffer {
  const model = new MessageWriter().integer(1, 8).message(7, (graph) => {
    const tensor = (type: number, name: string, fill: (message: MessageWriter) => void) =>
      graph.message(5, (message) => fill(message.integer(1, 2).integer(2, type).text(8, name)));
    tensor(1, "raw", (message) => message.bytes(9, new Uint8Array(8).fill(63)));
    tensor(1, "floats", (message) => message.float(4, 1).float(4, 2));
    tensor(7, "packed", (message) => message.bytes(7, Uint8Array.of(1, 0x80, 1)));
    tensor(7, "single", (message) => message.integer(7, -3).integer(7, 4));
    tensor(10, "halves", (message) => message.bytes(5, Uint8Array.of(0x80, 0x78, 0x80, 0x70)));
    tensor(11, "doubles", (message) => message.bytes(10, new Uint8Array(16)));
    tensor(3, "small", (message) => message.integer(5, -1).integer(5, 7));
  });
  const entry = (message: MessageWriter) => message.text(1, "classes").text(2, '["a","b"]');
  return Buffer.from(model.message(14, entry).finish());
}

/** Every seed, in a fixed order. */
export function weightSeeds(): WeightSeed[] {
  const tensors = new Map<string, StoredTensor>([
    ["f", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["d", { shape: [2], data: Float64Array.of(1, 2) }],
    ["l", { shape: [], data: BigInt64Array.of(7n) }],
    ["i", { shape: [1, 2], data: Int32Array.of(8, 9) }],
    ["u", { shape: [3], data: Uint8Array.of(1, 2, 3) }],
  ]);
  const torch = (name: string, bytes: Buffer): WeightSeed => {
    const format = bytes[0] === 0x50 ? "torch zip" : "torch older";
    return { name, format, bytes };
  };
  const members = membersOf(fixture("zip.pth"));
  const onnx = encodeOnnx({
    graph: smallNetwork.build(1),
    tensors: weightsOf(smallNetwork),
    softmax: true,
  });
  const checkpoint = Buffer.from(encodeSafetensors(checkpointOf()));
  return [
    {
      name: "types",
      format: "safetensors",
      bytes: Buffer.from(encodeSafetensors({ tensors, metadata: { a: "b", c: "é\u0000" } })),
    },
    { name: "checkpoint", format: "checkpoint", bytes: checkpoint },
    { name: "averaged", format: "checkpoint", bytes: averagedCheckpoint() },
    ...["zip", "nested", "module", "protocol4", "older", "system-older"].map((name) =>
      torch(name, fixture(`${name}.pth`)),
    ),
    torch("deflated", zipOf(members.map((entry) => ({ ...entry, deflated: true })))),
    torch("zip64", zipOf(members, { zip64: true })),
    { name: "network", format: "onnx", bytes: Buffer.from(onnx) },
    { name: "lists", format: "onnx", bytes: onnxLists() },
  ];
}

/** Members of an archive. */
export const membersOf = (archive: Buffer): ZipEntry[] =>
  [...readZip(memorySource(archive, "seed")).values()].map((member) => ({
    name: member.name,
    bytes: member.read(),
  }));
