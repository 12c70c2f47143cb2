/** @file The vanilla CNN: convolution, batch norm, ReLU and pooling, four times; two linear layers. */

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
  const {
    classes,
    channels,
    size,
    widths = [32, 64, 128, 128],
    hidden = 512,
    dropout: p = 0.5,
  } = options;
  checkPositiveInteger("vanilla", "size", size);
  const smallest = 2 ** widths.length;
  if (size < smallest)
    throw new ArgumentError(
      `vanilla: ${widths.length} poolings leave nothing of ${size}x${size} images; the smallest size that works is ${smallest}`,
    );
  return network({
    name: "vanilla",
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
