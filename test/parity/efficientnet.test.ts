/**
 * @file EfficientNet-Lite0 against the PyTorch package that publishes its weights (efficientnet.py wrote the
 * fixture): logits in evaluation and training mode at even and odd sizes, ten steps of fine-tuning, what the
 * published checkpoint holds, and the logits that it gives for photos.
 */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { readWeights } from "../../src/files/weight-files.ts";
import type { Network } from "../../src/ir/index.ts";
import { efficientnetLite0 } from "../../src/models/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { fitWeights } from "../../src/study/weights/fit-weights.ts";
import { dyadics } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";
import { difference, logits, valuesOf } from "./torchvision.ts";

interface Fixture {
  readonly classes: number;
  readonly batch: number;
  readonly imageSalt: number;
  readonly cases: readonly {
    readonly size: number;
    readonly mode: "evaluate" | "train";
    readonly logits: readonly number[];
  }[];
  readonly tuning: {
    readonly size: number;
    readonly batch: number;
    readonly learningRate: number;
    readonly momentum: number;
    readonly trainFrom: string;
    readonly losses: readonly number[];
  };
  readonly checkpoint: Readonly<Record<string, number[]>>;
  readonly published: {
    readonly mean: number;
    readonly std: number;
    readonly size: number;
    readonly photos: readonly { readonly file: string; readonly logits: readonly number[] }[];
  };
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/efficientnet.json", import.meta.url), "utf8"),
);
const { native, reason } = nativeOrReason();
const { classes, batch, imageSalt } = fixture;

/** The model, in whose training dropout drops nothing. */
function built(size: number): Network {
  const network = efficientnetLite0({ classes, channels: 3, size });
  return {
    ...network,
    build(count) {
      const graph = network.build(count);
      const nodes = graph.nodes.map((node) =>
        node.op === "dropout" ? { ...node, attributes: { ...node.attributes, p: 0 } } : node,
      );
      return { ...graph, nodes };
    },
  };
}

const imagesOf = (count: number, size: number, salt: number) =>
  Float32Array.from(dyadics(count * 3 * size * size, salt).map((value) => 2 * value));

describe("the package's logits", () => {
  const run = async (engine: "native" | "reference", { size, mode }: Fixture["cases"][number]) => {
    const network = built(size);
    return logits({
      backend: engine === "native" ? native!() : referenceBackend(),
      network,
      mode,
      values: valuesOf(network),
      images: imagesOf(batch, size, imageSalt),
      batch,
    });
  };
  describe.skipIf(!native)(`by the native engine${reason}`, () => {
    test.each(fixture.cases)("at $size, $mode", async (one) =>
      expect(difference(await run("native", one), one.logits)).toBeLessThan(1e-4),
    );
  });
  describe("by the reference engine", () => {
    test.each(fixture.cases.filter(({ size }) => size < 100))("at $size, $mode", async (one) =>
      expect(difference(await run("reference", one), one.logits)).toBeLessThan(1e-4),
    );
  });
});

test.skipIf(!native)(`it is fine-tuned as PyTorch does it${reason}`, async () => {
  const { size, batch: images, learningRate, momentum, trainFrom, losses } = fixture.tuning;
  const network = built(size);
  const backend = native!();
  const compiled = compileNetwork({
    network,
    backend,
    batch: images,
    optimizer: createOptimizer("sgd", { learningRate, momentum }),
    threads: 2,
    slots: 1,
    trainFrom,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  try {
    await compiled.initialize(session, 0);
    const values = valuesOf(network);
    for (const { name, role, buffer } of compiled.tensors)
      if (role === "parameter" || role === "statistic")
        await session.write(buffer, values.get(name)!);
    await compiled.prepare(session);
    const step = await session.load(compiled.programs.train);
    for (const [update, expected] of losses.entries()) {
      session.images(0).set(imagesOf(images, size, imageSalt + 1 + update));
      session.labels(0).set(Array.from({ length: images }, (_, i) => (i + update) % classes));
      const scalars = compiled.scalars({ seed: 0, update, learningRate });
      const { loss } = await step.run({ slot: 0, scalars });
      expect(Math.abs(loss![0]! - expected) / expected).toBeLessThan(1e-3);
    }
  } finally {
    session.dispose();
  }
});

test("the published checkpoint has our names and shapes", () => {
  const shapes = Object.entries(fixture.checkpoint);
  const values = Float32Array.of(0);
  const tensors = new Map(shapes.map(([name, shape]) => [name, { shape, data: values }]));
  const fitted = (outputs: number) =>
    fitWeights(
      { checkpoint: { tensors, metadata: {} }, source: "lite0.pth", sha256: "" },
      efficientnetLite0({ classes: outputs, channels: 3, size: 64 }),
    );
  const parameters = shapes.filter(([name]) => !/running_|num_batches/.test(name));
  expect(parameters.reduce((sum, [, shape]) => sum + elementCount(shape), 0)).toBe(4_652_008);
  expect(fitted(1000).replaced).toEqual([]);
  expect(fitted(5).replaced).toEqual(["_fc.weight", "_fc.bias"]);
});

const data = new URL("../../../shared/data/", import.meta.url);
const checkpoint = new URL("weights/efficientnet-lite0-57934424.pth", data);
const photos = new URL("flowers-227/", data);
const absent = [checkpoint, photos].some((url) => !existsSync(url));

describe.skipIf(!native || absent)(
  `the published weights${absent ? " (skipped: shared/data/weights or flowers-227 is absent)" : reason}`,
  () => {
    test("give the logits that PyTorch gives for photos", async () => {
      const { default: sharp } = await import("sharp");
      const { mean, std, size, photos: expected } = fixture.published;
      const network = efficientnetLite0({ classes: 1000, channels: 3, size });
      const path = fileURLToPath(checkpoint);
      const { tensors, replaced } = fitWeights(
        { checkpoint: readWeights(path), source: path, sha256: "" },
        network,
      );
      expect(replaced).toEqual([]);
      const pixels = size * size;
      const images = new Float32Array(expected.length * 3 * pixels);
      for (const [i, { file }] of expected.entries()) {
        const raw = await sharp(fileURLToPath(new URL(file, photos)))
          .extract({ left: 0, top: 0, width: size, height: size })
          .raw()
          .toBuffer();
        expect(raw.length).toBe(3 * pixels);
        for (let p = 0; p < pixels; p++)
          for (let c = 0; c < 3; c++)
            images[(3 * i + c) * pixels + p] = (raw[3 * p + c]! / 255 - mean) / std;
      }
      const actual = await logits({
        backend: native!(),
        network,
        mode: "evaluate",
        values: tensors,
        images,
        batch: expected.length,
      });
      const all = expected.flatMap((photo) => photo.logits);
      expect(Math.max(...all.map((value, i) => Math.abs(value - actual[i]!)))).toBeLessThan(1e-4);
    });
  },
);
