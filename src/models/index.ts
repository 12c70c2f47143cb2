/** @file The collection of networks, and how one is found by its name. */

import { get } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import type { Network } from "../layers/index.ts";
import { efficientnetLite0 } from "./efficientnet.ts";
import { mobilenetV2 } from "./mobilenet.ts";
import type { ModelOptions } from "./model.ts";
import { resnet18, resnet34, resnet50 } from "./resnet.ts";
import { vanilla, vanilla2019 } from "./vanilla.ts";
import { vgg11Bn } from "./vgg.ts";

const MODELS: Readonly<Record<string, (options: ModelOptions) => Network>> = {
  vanilla,
  vanilla_2019: vanilla2019,
  resnet18,
  resnet34,
  resnet50,
  vgg11_bn: vgg11Bn,
  mobilenet_v2: mobilenetV2,
  efficientnet_lite0: efficientnetLite0,
};

/** Names that `createModel` and --model know. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

/** Refuses a name that is none of MODEL_NAMES. @throws ArgumentError with the nearest known one */
export function checkModelName(name: string): void {
  if (!Object.hasOwn(MODELS, name))
    throw new ArgumentError(
      `model: "${name}" is unknown${didYouMean(name, MODEL_NAMES)} ` +
        `Known: ${MODEL_NAMES.join(", ")}`,
    );
}

/**
 * A network of the collection, with its defaults.
 * @throws ArgumentError for an unknown name, or a size that its poolings reduce to nothing
 */
export function createModel(name: string, options: ModelOptions): Network {
  checkModelName(name);
  return get(MODELS, name, "models")(options);
}

export { efficientnetLite0 } from "./efficientnet.ts";
export { mobilenetV2 } from "./mobilenet.ts";
export type { ModelOptions } from "./model.ts";
export { resnet18, resnet34, resnet50 } from "./resnet.ts";
export { type VanillaOptions, vanilla, vanilla2019 } from "./vanilla.ts";
export { type VggOptions, vgg11Bn } from "./vgg.ts";
