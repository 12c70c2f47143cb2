/**
 * @file VGG-11 with batch norm, with torchvision's names, places and initialisation, so that its checkpoints
 * fit. Source: Simonyan and Zisserman, "Very deep convolutional networks", 2015, table 1, column A;
 * torchvision 0.14, vgg11_bn.
 */

import { ArgumentError } from "../core/errors.ts";
import {
  adaptiveAveragePool2d,
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

/** Output channels of the convolutions, by stage; a pooling that halves the image ends each. */
const STAGES = [[64], [128], [256, 256], [512, 512], [512, 512]] as const;
const HIDDEN = 4096;
/** What the classifier was made for: 7 x 7, as 224 x 224 images leave it. */
const POOLED = 7;

/** Of vgg11Bn. */
export interface VggOptions extends ModelOptions {
  /** Features of the classifier's two hidden layers, which hold most of the parameters; default 4096. */
  readonly hidden?: number;
}

/** (B,channels,size,size) -> (B,classes). @throws ArgumentError for a size below 32 */
export function vgg11Bn({ classes, channels, size, hidden = HIDDEN }: VggOptions): Network {
  const smallest = 2 ** STAGES.length;
  if (size < smallest)
    throw new ArgumentError(
      `vgg11_bn: ${STAGES.length} poolings leave nothing of ${size}x${size} images; the smallest size that works is ${smallest}`,
    );
  const features = STAGES.flatMap((widths): Layer[] => [
    ...widths.flatMap((width) => [
      conv2d({ channels: width, kernel: 3, padding: 1, initialization: "fanOut" }),
      batchNorm(),
      relu(),
    ]),
    maxPool2d({ kernel: 2 }),
  ]);
  const dense = (outputs: number) => linear({ features: outputs, initialization: 0.01 });
  return network({
    name: "vgg11_bn",
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      features: sequential(features),
      avgpool: adaptiveAveragePool2d({ size: POOLED }),
      flatten: flatten(),
      classifier: sequential([
        dense(hidden),
        relu(),
        dropout(),
        dense(hidden),
        relu(),
        dropout(),
        dense(classes),
      ]),
    }),
  });
}
