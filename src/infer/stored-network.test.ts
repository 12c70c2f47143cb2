/** @file Checkpoints that are damaged or diverged: refused by name before anything is made of them. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkpointOf } from "../../test/fuzz/weight-seeds.ts";
import { WeightsError } from "../core/errors.ts";
import { referenceBackend } from "../engine/reference/index.ts";
import { readStoredNetwork } from "../files/stored-network.ts";
import { readSafetensors } from "../files/weight-files.ts";
import { type Checkpoint, decodeOnnx, encodeSafetensors, memorySource } from "../formats/index.ts";
import { vanilla } from "../models/index.ts";
import { exportOnnx } from "../study/stored/from-checkpoint.ts";
import { fitWeights } from "../study/weights/fit-weights.ts";
import { openPredictor as compiledPredictor } from "./predictor.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-stored-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Change = (checkpoint: ReturnType<typeof checkpointOf>) => void;

/** A checkpoint of a small network, changed, and as no checksum says otherwise, written as it is. */
function written(change: Change): string {
  const checkpoint = checkpointOf();
  change(checkpoint);
  const path = join(folder, "last.safetensors");
  writeFileSync(path, encodeSafetensors(checkpoint as Checkpoint));
  return path;
}

const data = ({ tensors }: ReturnType<typeof checkpointOf>, name: string) =>
  tensors.get(name)!.data as Float32Array;
const json = (value: unknown) => JSON.stringify(value);

const openPredictor = async (path: string, options: Parameters<typeof compiledPredictor>[1]) =>
  compiledPredictor(await readStoredNetwork(path), options);

/** What prediction and export say; each must refuse it alike. */
async function refusal(path: string): Promise<string> {
  const options = { backend: referenceBackend(), batch: 1, threads: 1 };
  const errors = [
    await openPredictor(path, options).catch((error) => error),
    await exportOnnx({ checkpoint: path }).catch((error) => error),
  ];
  for (const error of errors) expect(error).toBeInstanceOf(WeightsError);
  expect(errors[0].message).toBe(errors[1].message);
  expect(errors[0].message).toContain(path);
  return errors[0].message;
}

async function probabilitiesOf(path: string) {
  const backend = referenceBackend();
  const { session, run } = await openPredictor(path, { backend, batch: 1, threads: 1 });
  try {
    session.images(0).fill(0.5);
    return [...(await run(1))];
  } finally {
    session.dispose();
  }
}

test("a whole one predicts and is exported", async () => {
  const path = written(() => {});
  const probabilities = await probabilitiesOf(path);
  expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  const bytes = await exportOnnx({ checkpoint: path });
  expect(decodeOnnx(memorySource(bytes, path)).tensors.size).toBe(checkpointOf().tensors.size);
});

describe("is damaged:", () => {
  const graph =
    (change: (graph: ReturnType<typeof JSON.parse>) => void): Change =>
    ({ metadata }) => {
      const parsed = JSON.parse(metadata.graph!);
      change(parsed);
      metadata.graph = json(parsed);
    };
  test.each<[string, Change, string]>([
    ["a graph of null", ({ metadata }) => (metadata.graph = "null"), "cannot be read"],
    ["a graph of text", ({ metadata }) => (metadata.graph = '"x"'), "cannot be read"],
    ["an empty one", ({ metadata }) => (metadata.graph = "{}"), "its graph is none: name"],
    ["nodes that are none", graph((g) => (g.nodes[2] = null)), "its graph is none: nodes.2"],
    ["an unknown op", graph((g) => (g.nodes[2].op = "eval")), '"eval" is no op of a network'],
    ["a stride of text", graph((g) => (g.nodes[0].attributes.stride = "1")), "has attributes"],
    [
      "a shape that does not follow",
      graph((g) => (g.tensors[1].shape = [4, 3, 5, 5])),
      "stored is",
    ],
    [
      "a graph of nine million characters",
      ({ metadata }) => (metadata.graph += " ".repeat(9e6)),
      "at most 8388608",
    ],
    [
      "another number of classes",
      ({ metadata }) => (metadata.classes = '["a"]'),
      "must give logits [1, 1]",
    ],
    ["no classes", ({ metadata }) => (metadata.classes = "[]"), "it names no classes"],
    ["two channels", ({ metadata }) => (metadata.channels = "2"), "images are of 2 channels"],
    ["a mean too few", ({ metadata }) => (metadata.mean = "[0.5]"), "one number a channel"],
    ["a deviation of 0", ({ metadata }) => (metadata.std = "[1,0,1]"), "std above 0"],
    [
      "another size to prepare",
      ({ metadata }) => (metadata.preprocessing = '{"size":9}'),
      "its size is 8, and 9",
    ],
    ["a state it lacks", ({ metadata }) => (metadata.evaluationWeights = '"x"'), 'state "x"'],
    [
      "no weight",
      ({ tensors }) => tensors.delete("0.weight"),
      '"0.weight" [4, 3, 3, 3] is missing',
    ],
    [
      "a weight of another shape",
      ({ tensors }) => tensors.set("1.bias", { shape: [1], data: Float32Array.of(1) }),
      '"1.bias" must be [4]; got [1]',
    ],
    [
      "a weight of integers",
      ({ tensors }) => tensors.set("1.bias", { shape: [4], data: Int32Array.of(1, 2, 3, 4) }),
      '"1.bias" must be F32',
    ],
  ])("%s", async (_, change, message) => {
    expect(await refusal(written(change))).toContain(message);
  });

  test("a weight of two axes in place of the images: values that do not follow the batch", async () => {
    const path = written(
      graph((g) => {
        const relu = g.nodes.find(({ op }: { op: string }) => op === "relu");
        relu.inputs = [g.nodes[0].inputs[1]];
      }),
    );
    expect(await refusal(path)).toContain("its graph cannot be used");
  });
});

describe("numbers that are none", () => {
  test.each([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
  ])("%s: the first tensor, how many, and where", async (label, value) => {
    const path = written((checkpoint) => {
      data(checkpoint, "0.weight").fill(value, 30, 33);
      data(checkpoint, "1.running_var")[2] = value;
    });
    expect(await refusal(path)).toContain(
      `tensor "0.weight" [4, 3, 3, 3] must hold finite numbers; 3 of 108 are not, the first is ${label} at [1, 0, 1, 0]`,
    );
    // What goes on with a training, or tells of it, reads them as they are.
    const { tensors } = await readSafetensors(path);
    expect(tensors.get("0.weight")!.data[30]).toBe(value);
  });

  test("in the optimizer's state, which prediction does not read", async () => {
    const path = written(({ tensors }) =>
      tensors.set("0.weight:m", { shape: [1], data: Float32Array.of(Number.NaN) }),
    );
    expect((await probabilitiesOf(path)).length).toBe(3);
  });

  test("in the state that predictions are made with", async () => {
    const path = written(({ tensors, metadata }) => {
      metadata.evaluationWeights = '"average"';
      const { shape } = tensors.get("0.weight")!;
      tensors.set("0.weight:average", { shape, data: new Float32Array(108).fill(Number.NaN) });
    });
    expect(await refusal(path)).toContain("108 of 108 are not");
  });

  test("finite weights whose logits overflow: no probabilities, and no NaN%", async () => {
    const path = written((checkpoint) => data(checkpoint, "9.weight").fill(3e38));
    await expect(probabilitiesOf(path)).rejects.toThrow(WeightsError);
    await expect(probabilitiesOf(path)).rejects.toThrow(
      'gives no probabilities: its weights are finite, but the logits that they make are not (the largest weight is 3.00e+38, in "9.weight")',
    );
  });

  test("in weights from elsewhere, as float32 holds them", () => {
    const network = vanilla({ classes: 3, channels: 1, size: 16, widths: [4, 4], hidden: 8 });
    const { tensors } = checkpointOf(network);
    const fit = () =>
      fitWeights({ checkpoint: { tensors, metadata: {} }, source: "x.pth", sha256: "" }, network);
    expect(fit().replaced).toEqual([]);
    tensors.set("features.0.bias", { shape: [4], data: Float64Array.of(1, 2, 1e300, 4) });
    expect(fit).toThrow(
      'x.pth: tensor "features.0.bias" [4] must hold finite numbers; 1 of 4 are not, the first is Infinity at [2]',
    );
  });
});

test("export writes the weights that prediction takes: a state of the optimizer's, where it stands for them", async () => {
  const path = written(({ tensors, metadata }) => {
    metadata.evaluationWeights = '"average"';
    const { shape } = tensors.get("9.bias")!;
    tensors.set("9.bias:average", { shape, data: Float32Array.of(7, 8, 9) });
  });
  const { weights } = await readStoredNetwork(path);
  const exported = decodeOnnx(memorySource(await exportOnnx({ checkpoint: path }), path));
  expect([...weights.get("9.bias")!.data]).toEqual([7, 8, 9]);
  expect([...exported.tensors.get("9.bias")!.data]).toEqual([7, 8, 9]);
});
