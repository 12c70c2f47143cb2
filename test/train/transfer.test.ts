/** @file Training a part of a network: what is frozen stays to the bit, and what is chosen where nobody says. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { adam } from "../../src/optimizers/index.ts";
import { describeExperiment } from "../../src/study/experiment.ts";
import { fit } from "../../src/train/fit.ts";
import { freezing } from "../../src/train/freezing/transfer.ts";
import type { TrainingSetup } from "../../src/train/options.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { network, pretrained } from "./tiny-transfer.ts";

const recipe = {};

describe("where nobody says what is trained", () => {
  test.each([
    ["resnet34", "imagenet", "layer4"],
    ["vgg11_bn", "imagenet", "features.22"],
    ["mobilenet_v2", "weights.pth", "features.14"],
    ["efficientnet_lite0", "weights.pth", "_blocks.15"],
    ["vanilla", "weights.pth", "head"],
    ["toString", "weights.pth", "head"],
    ["./my-resnet18.ts", "weights.pth", "head"],
    ["resnet34", undefined, "all"],
  ])("%s from %s: %s", (model, pretrained, trainFrom) => {
    const from = pretrained === undefined ? {} : { pretrained };
    expect(freezing({ model, recipe, ...from })).toEqual({ trainFrom });
  });

  test("a mode of frozen batch norms is refused where nothing is frozen", () => {
    const choose = (trainFrom?: string) => () =>
      freezing({
        model: "resnet18",
        recipe: { frozenBatchNorm: "train", ...(trainFrom ? { trainFrom } : {}) },
      });
    expect(choose()).toThrow("--frozen-batch-norm has no effect here");
    expect(choose("all")).toThrow("nothing is frozen");
    expect(choose("head")()).toEqual({ trainFrom: "head", frozenBatchNorm: "train" });
  });
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-transfer-"));
    dataset = await openDataset("synthetic", { size: 16, limit: 20, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const weights = pretrained();
  const setup = (options: Partial<TrainingSetup> = {}): TrainingSetup => ({
    dataset,
    network: network(),
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
    batch: 16,
    pretrained: weights,
    trainFrom: "layer2",
    ...options,
  });

  /** Names of the tensors that are not what the file had, after some epochs. */
  async function changed(options: Partial<TrainingSetup>): Promise<string[]> {
    const optimizer = adam({ learningRate: 1e-2, weightDecay: 1e-2 });
    const { last, trial } = await fit({ ...setup(options), optimizer, epochs: 2 });
    expect(trial.status).toBe("done");
    return [...weights.tensors.keys()].filter((name) => {
      const { data } = last!.tensors.get(name)!;
      return !Buffer.from(data.buffer).equals(Buffer.from(weights.tensors.get(name)!.buffer));
    });
  }

  test("no frozen parameter or statistic changes by a bit, and all others change", async () => {
    const names = [...weights.tensors.keys()];
    expect(await changed({})).toEqual(names.filter((name) => name.startsWith("layer2.")));
    expect(await changed({ trainFrom: "head" })).toEqual([]);
    expect(await changed({ trainFrom: "all" })).toEqual(names);
  });

  test("with frozen batch norms in training mode their statistics move, and nothing else", async () => {
    const frozen = (await changed({ frozenBatchNorm: "train" })).filter(
      (name) => !name.startsWith("layer2."),
    );
    const statistics = [...weights.tensors.keys()].filter(
      (name) => !name.startsWith("layer2.") && name.includes("running_"),
    );
    expect(frozen).toEqual(statistics);
  });

  test("is recorded, and an unknown module refused before the first update", () => {
    const describe = (trainFrom: string) =>
      describeExperiment({
        study: { kind: "train", epochs: 1, seeds: [0] },
        setup: setup({ trainFrom }),
        arms: [],
      });
    expect(describe("layer2").protocol).toMatchObject({
      trainFrom: "layer2",
      frozenBatchNorm: "evaluate",
    });
    expect(describe("all").protocol).not.toHaveProperty("trainFrom");
    expect(() => describe("layer3")).toThrow('no module "layer3"');
  });
});
