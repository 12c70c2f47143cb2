/** @file The vanilla CNN: blocks of convolution, batch norm, ReLU and pooling, then two linear layers. */

import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import {
  batchNorm,
  conv2d,
  dropout,
  flatten,
  type Layer,
  linear,
  maxPool2d,
  type Network,
  network,
  relu,
  sequential,
} from "../layers/index.ts";
import type { ModelOptions } from "./model.ts";

/** Of the vanilla CNN: its widths beside what every network takes. */
export interface VanillaOptions extends ModelOptions {
  /** Channels of each block; default 32, 64, 128, 128. Fewer blocks suit smaller images. */
  readonly widths?: readonly number[];
  /** Features of the hidden linear layer; default 512. */
  readonly hidden?: number;
  /** Probability of dropping, before each linear layer; default 0.5. */
  readonly dropout?: number;
}

const block = (channels: number): Layer[] => [
  conv2d({ channels, kernel: 3, padding: 1 }),
  batchNorm(),
  relu(),
  maxPool2d({ kernel: 2 }),
];

/**
 * Blocks of [3x3 convolution, batch norm, ReLU, 2x2 max pool], then dropout, linear, ReLU, dropout,
 * linear. Parameters: features.N.*, classifier.1.* and classifier.4.*.
 * @throws ArgumentError where the poolings leave nothing of an image, with the smallest size that works
 */
export function vanilla(options: VanillaOptions): Network {
  return build("vanilla", options);
}

/**
 * The plain CNN of "Adaptive and Cyclical Learning Rates using PyTorch" (2019), as its logged losses identify it:
 * three blocks of 32, 64 and 128 channels, 512 hidden features. At the article's 224x224 pixels it has 51.5 million
 * parameters, nearly all of them in the first linear layer. Whether it has dropout is not sure: its first epochs speak
 * for it, its range test against it. Names as of `vanilla`.
 * @throws ArgumentError for images of fewer than 8 pixels
 */
export function vanilla2019({ classes, channels, size }: ModelOptions): Network {
  return build("vanilla_2019", { classes, channels, size, widths: [32, 64, 128] });
}

function build(name: string, options: VanillaOptions): Network {
  const {
    classes,
    channels,
    size,
    widths = [32, 64, 128, 128],
    hidden = 512,
    dropout: p = 0.5,
  } = options;
  checkPositiveInteger(name, "size", size);
  const smallest = 2 ** widths.length;
  if (size < smallest)
    throw new ArgumentError(
      `${name}: ${widths.length} poolings leave nothing of ${size}x${size} images; the smallest size that works is ${smallest}`,
    );
  return network({
    name,
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      features: sequential(widths.flatMap(block)),
      flatten: flatten(),
      classifier: sequential([
        dropout({ p }),
        linear({ features: hidden }),
        relu(),
        dropout({ p }),
        linear({ features: classes }),
      ]),
    }),
  });
}
