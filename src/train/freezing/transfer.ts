/** @file Transfer learning's choices: which part of a network is trained where nobody says. */

import { get } from "../../core/at.ts";
import { ArgumentError } from "../../core/errors.ts";
import type { Recipe } from "../../record/index.ts";
import type { TrainingSetup } from "../options.ts";

/**
 * Where a model's last stage begins: what works at the smallest size of its feature maps; of EfficientNet the last of
 * the seven that its paper counts, before the 1x1 convolution of its head.
 */
const LAST_STAGES: Readonly<Record<string, string>> = {
  resnet18: "layer4",
  resnet34: "layer4",
  resnet50: "layer4",
  vgg11_bn: "features.22",
  mobilenet_v2: "features.14",
  efficientnet_lite0: "_blocks.15",
};

/**
 * Weights from elsewhere are trained from the last stage of a known network on, and else in the last layer
 * alone; weights drawn by the seed are all trained.
 * @throws ArgumentError for a mode of frozen batch norms where nothing is frozen
 */
export function freezing({
  model,
  pretrained,
  recipe,
}: {
  /** Its name in the collection, or a path. */
  readonly model: string;
  readonly pretrained?: string | undefined;
  readonly recipe: Partial<Recipe>;
}): Pick<TrainingSetup, "frozenBatchNorm"> & { readonly trainFrom: string } {
  const last = Object.hasOwn(LAST_STAGES, model) ? get(LAST_STAGES, model, "stages") : "head";
  const byDefault = pretrained === undefined ? "all" : last;
  const { trainFrom = byDefault, frozenBatchNorm } = recipe;
  if (trainFrom !== "all")
    return { trainFrom, ...(frozenBatchNorm === undefined ? {} : { frozenBatchNorm }) };
  if (frozenBatchNorm !== undefined)
    throw new ArgumentError(
      "training: --frozen-batch-norm has no effect here: nothing is frozen; leave it out, or add --train-from MODULE",
    );
  return { trainFrom };
}
