/**
 * @file VGG-11-BN and MobileNetV2 against torchvision's (vgg_mobilenet.py wrote the fixture): logits in
 * evaluation and training mode, ten steps of fine-tuning, and what a published checkpoint holds.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { elementCount } from "../../src/core/shapes.ts";
import type { Network } from "../../src/ir/index.ts";
import { createModel, mobilenetV2, vgg11Bn } from "../../src/models/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { fitWeights } from "../../src/study/weights/fit-weights.ts";
import { dyadics } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";
import { difference, logits, valuesOf } from "./torchvision.ts";

interface Fixture {
  readonly classes: number;
  readonly batch: number;
  readonly hidden: number;
  readonly imageSalt: number;
  readonly cases: readonly {
    readonly model: string;
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
  readonly checkpoints: Readonly<Record<string, Readonly<Record<string, number[]>>>>;
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/vgg_mobilenet.json", import.meta.url), "utf8"),
);
const { native, reason } = nativeOrReason();
const { classes, batch, hidden, imageSalt } = fixture;

/** The model, in whose training dropout drops nothing. */
function built(model: string, size: number): Network {
  const options = { classes, channels: 3, size };
  const network = model === "vgg11_bn" ? vgg11Bn({ ...options, hidden }) : mobilenetV2(options);
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

describe.skipIf(!native)(`torchvision's logits${reason}`, () => {
  describe.each(["vgg11_bn", "mobilenet_v2"])("%s", (model) => {
    const cases = fixture.cases.filter((one) => one.model === model);
    const values = valuesOf(built(model, 64));
    test.each(cases)("at $size, $mode", async ({ size, mode, logits: expected }) => {
      const images = imagesOf(batch, size, imageSalt);
      const network = built(model, size);
      const common = { backend: native!(), network, mode, values, images, batch };
      const direct = await logits({ ...common, convolutions: "direct" });
      expect(difference(direct, expected)).toBeLessThan(1e-4);
      // MobileNetV2 has no convolution for Winograd.
      if (model === "vgg11_bn")
        expect(difference(await logits(common), expected)).toBeLessThan(1e-3);
    });
  });
});

test.skipIf(!native)(`MobileNetV2 is fine-tuned as PyTorch does it${reason}`, async () => {
  const { size, batch: images, learningRate, momentum, trainFrom, losses } = fixture.tuning;
  const network = built("mobilenet_v2", size);
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

describe("a published checkpoint", () => {
  const tensorsOf = (model: string) => {
    const values = Float32Array.of(0);
    const shapes = Object.entries(fixture.checkpoints[model]!);
    return new Map(shapes.map(([name, shape]) => [name, { shape, data: values }]));
  };
  const fitted = (model: string, tensors: ReturnType<typeof tensorsOf>, outputs = 1000) =>
    fitWeights(
      { checkpoint: { tensors, metadata: {} }, source: `${model}.pth`, sha256: "" },
      createModel(model, { classes: outputs, channels: 3, size: 64 }),
    );

  test.each([
    ["vgg11_bn", 132_868_840, ["classifier.6.weight", "classifier.6.bias"]],
    ["mobilenet_v2", 3_504_872, ["classifier.1.weight", "classifier.1.bias"]],
  ])("of %s has our names and shapes", (model, count, head) => {
    const shapes = Object.entries(fixture.checkpoints[model]!);
    const isParameter = ([name]: [string, number[]]) => !/running_|num_batches/.test(name);
    const parameters = shapes.filter(isParameter).map(([, shape]) => elementCount(shape));
    expect(parameters.reduce((sum, each) => sum + each, 0)).toBe(count);
    expect(fitted(model, tensorsOf(model)).replaced).toEqual([]);
    expect(fitted(model, tensorsOf(model), 5).replaced).toEqual(head);
  });

  test("that lacks some is refused with all their names", () => {
    const tensors = tensorsOf("mobilenet_v2");
    tensors.delete("features.3.conv.1.0.weight");
    tensors.set("features.1.conv.0.0.weight", { shape: [32, 32, 3, 3], data: Float32Array.of(0) });
    expect(() => fitted("mobilenet_v2", tensors)).toThrow(
      /"features.1.conv.0.0.weight" must be \[32, 1, 3, 3\]; got \[32, 32, 3, 3\]\n.*"features.3.conv.1.0.weight" \[144, 1, 3, 3\] is missing/,
    );
  });
});
