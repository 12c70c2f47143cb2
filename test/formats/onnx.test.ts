/** @file Exported models run in ONNX Runtime (its WebAssembly build) and give our own probabilities. */

import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { compilePredictor } from "../../src/compile/index.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import {
  decodeOnnx,
  encodeOnnx,
  memorySource,
  type StoredTensor,
} from "../../src/formats/index.ts";
import { onnxOf } from "../../src/infer/export.ts";
import { storedNetworkOf } from "../../src/infer/stored-network.ts";
import type { Network } from "../../src/ir/index.ts";
import * as layers from "../../src/layers/index.ts";
import { createModel } from "../../src/models/index.ts";
import { checkpointOf } from "../fuzz/weight-seeds.ts";
import { dyadics } from "../parity/dyadic.ts";

type Ort = typeof import("onnxruntime-web");
let ort: Ort;
beforeAll(() => {
  // Its ES module looks for a browser; the one for Node is reached by require.
  ort = createRequire(import.meta.url)("onnxruntime-web") as Ort;
  ort.env.wasm.numThreads = 1;
});

const batch = 3;
const mixed = layers.network({
  name: "mixed",
  inputShape: [3, 14, 14],
  classes: 4,
  layer: layers.sequential([
    layers.conv2d({ channels: 6, kernel: 3, stride: 2, padding: 1 }),
    layers.batchNorm(),
    layers.relu(),
    layers.residual({
      branch: layers.sequential([
        layers.conv2d({ channels: 6, kernel: 3, padding: 1, bias: false }),
        layers.batchNorm(),
      ]),
    }),
    layers.maxPool2d({ kernel: 3, stride: 2, padding: 1 }),
    layers.dropout({ p: 0.5 }),
    layers.flatten(),
    layers.linear({ features: 4 }),
  ]),
});
/** Convolutions in groups, ReLU6, and uneven padding, and pooling to a size: what MobileNetV2, EfficientNet-Lite0 and VGG-11 have besides. */
const grouped = (size: number) =>
  layers.network({
    name: "grouped",
    inputShape: [3, size, size],
    classes: 4,
    layer: layers.sequential([
      layers.conv2d({ channels: 6, kernel: 3, padding: 1, groups: 3 }),
      layers.relu6(),
      // Its odd column of padding stands after the image.
      layers.conv2d({ channels: 6, kernel: [3, 4], padding: "same", groups: 6 }),
      layers.adaptiveAveragePool2d({ size: 3 }),
      layers.flatten(),
      layers.linear({ features: 4 }),
    ]),
  });
const models: [string, Network][] = [
  ["a network in groups", grouped(12)],
  ["a network of every layer", mixed],
  ["vanilla", createModel("vanilla", { classes: 5, channels: 3, size: 32 })],
  ["resnet18", createModel("resnet18", { classes: 5, channels: 3, size: 32 })],
];

const bitsOf = ({ data }: StoredTensor) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** Weights of a seed, with batch norms of a state of their own. */
function weightsOf(network: Network): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  let salt = 0;
  for (const { name, role, shape } of network.build(1).tensors) {
    if (role !== "parameter" && role !== "statistic") continue;
    const count = elementCount(shape);
    const scale = shape.length > 1 ? Math.sqrt(3 / (count / shape[0]!)) : 0.25;
    const one = name.endsWith("running_var") || (name.endsWith("weight") && shape.length === 1);
    const data = Float32Array.from(dyadics(count, salt++), (v) => (one ? 1 : 0) + v * scale);
    tensors.set(name, { shape, data });
  }
  return tensors;
}

async function ours(network: Network, weights: Map<string, StoredTensor>, images: Float32Array) {
  const backend = referenceBackend();
  const compiled = compilePredictor({ network, backend, batch, threads: 1 });
  const session = await backend.openSession(compiled.sessionOptions);
  for (const { name, buffer } of compiled.tensors)
    await session.write(buffer, weights.get(name)!.data as Float32Array);
  await compiled.prepare(session);
  session.images(0).set(images);
  const program = await session.load(compiled.program);
  return (await program.run({ slot: 0, scalars: compiled.scalars })).probabilities!;
}

describe.each(models)("%s", (_, network) => {
  const weights = weightsOf(network);
  const [channels, height, width] = network.inputShape;
  const images = Float32Array.from(dyadics(batch * channels * height * width, 77));
  const graph = network.build(1);

  test("probabilities equal ours within 1e-4, for a batch of any size", async () => {
    const expected = await ours(network, weights, images);
    const bytes = encodeOnnx({ graph, tensors: weights, softmax: true });
    const session = await ort.InferenceSession.create(bytes);
    const input = new ort.Tensor("float32", images, [batch, channels, height, width]);
    const { probabilities } = await session.run({ images: input });
    expect(probabilities!.dims).toEqual([batch, network.classes]);
    const actual = probabilities!.data as Float32Array;
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 4);
    // They differ from each other, so that equality means something.
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.01);
  });

  test("weights and metadata are read back to the bit", () => {
    const metadata = { classes: '["a"]', mean: "[0.5]" };
    const bytes = encodeOnnx({ graph, tensors: weights, metadata });
    const back = decodeOnnx(memorySource(bytes, "x.onnx"));
    expect(back.metadata).toEqual(metadata);
    expect([...back.tensors.keys()].sort()).toEqual([...weights.keys()].sort());
    for (const [name, { shape, data }] of weights) {
      const stored = back.tensors.get(name)!;
      expect(stored.shape, name).toEqual(shape);
      expect(bitsOf(stored).equals(bitsOf({ shape, data })), name).toBe(true);
    }
  });
});

describe("what a model says of itself, read by a parser of the test's own", () => {
  const stored = storedNetworkOf(checkpointOf(), "x.safetensors");
  const model = protobuf(Buffer.from(onnxOf(stored)));
  const graph = protobuf(model.get(7)![0] as Buffer);
  const shapeOf = (value: Buffer) => {
    const type = protobuf(protobuf(protobuf(value).get(2)![0] as Buffer).get(1)![0] as Buffer);
    return protobuf(type.get(2)![0] as Buffer)
      .get(1)!
      .map((dimension) => {
        const [extent, name] = [1, 2].map((at) => protobuf(dimension as Buffer).get(at)?.[0]);
        return name === undefined ? Number(extent) : String(name);
      });
  };

  test("format and opset", () => {
    expect(model.get(1)).toEqual([7n]);
    expect(protobuf(model.get(8)![0] as Buffer).get(2)).toEqual([13n]);
  });

  test("shapes of its input and output, of any batch", () => {
    expect(graph.get(11)!.map((value) => shapeOf(value as Buffer))).toEqual([["batch", 3, 8, 8]]);
    expect(graph.get(12)!.map((value) => shapeOf(value as Buffer))).toEqual([["batch", 3]]);
    expect(String(protobuf(graph.get(12)![0] as Buffer).get(1)![0])).toBe("probabilities");
  });

  test("classes and normalisation", () => {
    const said = Object.fromEntries(
      model.get(14)!.map((entry) => {
        const [key, value] = [1, 2].map((at) => String(protobuf(entry as Buffer).get(at)![0]));
        return [key!, JSON.parse(value!)];
      }),
    );
    const { classes, mean, std, size, channels } = stored.metadata;
    expect(said).toMatchObject({ classes, mean, std, size, channels });
    expect(said.classes).toEqual(["class 0", "class 1", "class 2"]);
  });
});

/** Fields of a message by number: integers, or bytes. */
function protobuf(bytes: Buffer): Map<number, (bigint | Buffer)[]> {
  const found = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const integer = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(integer());
    const wire = key & 7;
    const value = wire === 0 ? integer() : wire === 2 ? piece(Number(integer())) : piece(4);
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), value]);
  }
  return found;

  function piece(length: number): Buffer {
    at += length;
    return bytes.subarray(at - length, at);
  }
}

test("windows of several sizes are refused by the layer's name", () => {
  const network = grouped(13);
  const graph = network.build(1);
  expect(() => encodeOnnx({ graph, tensors: weightsOf(network) })).toThrow(
    'layer "3" pools 13x13 to 3x3, in windows of several sizes, which ONNX does not have',
  );
});

test("logits are the default output", async () => {
  const weights = weightsOf(mixed);
  const images = Float32Array.from(dyadics(3 * 14 * 14, 5));
  const session = await ort.InferenceSession.create(
    encodeOnnx({ graph: mixed.build(1), tensors: weights }),
  );
  const input = new ort.Tensor("float32", images, [1, 3, 14, 14]);
  const { logits } = await session.run({ images: input });
  const values = [...(logits!.data as Float32Array)];
  const sum = values.reduce((total, value) => total + Math.exp(value), 0);
  const probabilities = await ours(
    mixed,
    weights,
    Float32Array.from([...images, ...images, ...images]),
  );
  for (const [i, value] of values.entries())
    expect(Math.exp(value) / sum).toBeCloseTo(probabilities[i]!, 5);
});

test("a missing weight is named", () => {
  const weights = weightsOf(mixed);
  weights.delete("0.weight");
  expect(() => encodeOnnx({ graph: mixed.build(1), tensors: weights })).toThrow(
    '"0.weight" is missing',
  );
});
