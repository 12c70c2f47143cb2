/**
 * @file ResNet-18, -34 and -50 against torchvision's (resnet.py wrote the fixture): logits in
 * evaluation and training mode, ten steps of fine-tuning, and the logits of a real checkpoint for real
 * photos where they are there.
 */

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { readWeights } from "../../src/files/weight-files.ts";
import { createModel } from "../../src/models/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { fitWeights } from "../../src/study/weights/fit-weights.ts";
import { dyadics } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";
import { difference, logits, logitsOf, valuesOf } from "./torchvision.ts";

interface Case {
  readonly model: string;
  readonly size: number;
  readonly mode: "evaluate" | "train";
  readonly logits: readonly number[];
}
interface Fixture {
  readonly tuning: {
    readonly size: number;
    readonly batch: number;
    readonly learningRate: number;
    readonly momentum: number;
    readonly runs: readonly {
      readonly model: string;
      readonly losses: readonly number[];
      readonly logits: readonly number[];
    }[];
  };
  readonly classes: number;
  readonly batch: number;
  readonly imageSalt: number;
  readonly cases: readonly Case[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/resnet.json", import.meta.url), "utf8"),
);
const { native, reason } = nativeOrReason();

describe.skipIf(!native)(`torchvision's logits${reason}`, () => {
  const { classes, batch, imageSalt } = fixture;
  describe.each(["resnet18", "resnet34", "resnet50"])("%s", (model) => {
    const values = valuesOf(createModel(model, { classes, channels: 3, size: 64 }));
    const cases = fixture.cases.filter((one) => one.model === model);
    test.each(cases)("at $size, $mode", async ({ size, mode, logits: expected }) => {
      const network = createModel(model, { classes, channels: 3, size });
      const images = dyadics(batch * 3 * size * size, imageSalt).map((value) => 2 * value);
      const common = { backend: native!(), network, mode, values, images, batch };
      const direct = await logits({ ...common, convolutions: "direct" });
      // Both are float32, each with an order of sums of its own; fifty layers deep, with a batch norm
      // over eight values at the end, that alone makes 1.2e-4 with AVX-512.
      expect(difference(direct, expected)).toBeLessThan(model === "resnet50" ? 2e-4 : 1e-4);
      expect(difference(await logits(common), expected)).toBeLessThan(1e-3);
    });
  });
});

describe.skipIf(!native)(`fine-tuning as PyTorch does it${reason}`, () => {
  const { classes, imageSalt, tuning } = fixture;
  const { size, batch, learningRate, momentum } = tuning;
  // Of the losses, and of the logits afterwards.
  const inFp32 = tuning.runs.map((run) => ({
    ...run,
    precision: "fp32" as const,
    tolerance: [1e-3, 1e-3],
  }));
  // The frozen part is rounded too, eighteen layers of it, and by 2^-9 where fp32 rounds by 2^-24.
  const inBf16 = { ...tuning.runs[0]!, precision: "bf16" as const, tolerance: [0.08, 0.15] };
  test.each([...inFp32, inBf16])("$model, $precision: ten steps from layer4 on", async (run) => {
    const { model, losses, logits, precision, tolerance } = run;
    const network = createModel(model, { classes, channels: 3, size });
    const values = valuesOf(network);
    const backend =
      precision === "fp32" ? native!() : nativeBackend({ threads: 2, emulateBf16: true });
    const compiled = compileNetwork({
      network,
      backend,
      batch,
      optimizer: createOptimizer("sgd", { learningRate, momentum }),
      threads: 2,
      slots: 1,
      trainFrom: "layer4",
      precision,
    });
    const { train, predict } = compiled.programs;
    const offset = Math.ceil(compiled.sessionOptions.outputBytes / 64) * 64;
    const outputBytes = offset + 4 * batch * classes;
    const session = await backend.openSession({ ...compiled.sessionOptions, outputBytes });
    try {
      await compiled.initialize(session, 0);
      for (const { name, role, buffer } of compiled.tensors)
        if (role === "parameter" || role === "statistic")
          await session.write(buffer, values.get(name)!);
      await compiled.prepare(session);
      const load = (step: number) => {
        const pixels = dyadics(batch * 3 * size * size, imageSalt + 1 + step);
        session.images(0).set(pixels.map((value) => 2 * value));
        session.labels(0).set(Array.from({ length: batch }, (_, i) => (i + step) % classes));
      };
      const step = await session.load(train);
      for (const [update, expected] of losses.entries()) {
        load(update);
        const scalars = compiled.scalars({ seed: 0, update, learningRate });
        const { loss } = await step.run({ slot: 0, scalars });
        expect(Math.abs(loss![0]! - expected) / expected).toBeLessThan(tolerance[0]!);
      }
      load(losses.length);
      const scalars = compiled.scalars({ seed: 0, update: 0 });
      const last = await (await session.load(logitsOf(predict, offset))).run({ slot: 0, scalars });
      expect(difference(last.logits!, logits)).toBeLessThan(tolerance[1]!);
    } finally {
      session.dispose();
    }
  });
});

const data = new URL("../../../shared/data/", import.meta.url);
const checkpoint = new URL("weights/resnet34-tiny-imagenet.pth", data);
const published = new URL("weights/expected-logits.json", data);
const photos = new URL("flowers-128/", data);
const absent = [checkpoint, published, photos].some((url) => !existsSync(url));

describe.skipIf(!native || absent)(
  `a real checkpoint${absent ? " (skipped: shared/data/weights or flowers-128 is absent)" : reason}`,
  () => {
    test("gives the logits that PyTorch gives for photos", async () => {
      const { default: sharp } = await import("sharp");
      const expected: {
        mean: number[];
        std: number[];
        photos: { file: string; logits: number[] }[];
      } = JSON.parse(readFileSync(published, "utf8"));
      const size = 128;
      const network = createModel("resnet34", { classes: 202, channels: 3, size });
      const path = checkpoint.pathname;
      const { tensors, replaced } = fitWeights(
        { checkpoint: readWeights(path), source: path, sha256: "" },
        network,
      );
      expect(replaced).toEqual([]);
      const pixels = size * size;
      const images = new Float32Array(expected.photos.length * 3 * pixels);
      for (const [i, { file }] of expected.photos.entries()) {
        const raw = await sharp(new URL(file, photos).pathname).raw().toBuffer();
        expect(raw.length).toBe(3 * pixels);
        for (let p = 0; p < pixels; p++)
          for (let c = 0; c < 3; c++)
            images[(3 * i + c) * pixels + p] =
              (raw[3 * p + c]! / 255 - expected.mean[c]!) / expected.std[c]!;
      }
      const actual = await logits({
        backend: native!(),
        network,
        mode: "evaluate",
        values: tensors,
        images,
        batch: expected.photos.length,
      });
      const all = expected.photos.flatMap((photo) => photo.logits);
      expect(difference(actual, all)).toBeLessThan(1e-3);
    });
  },
);
