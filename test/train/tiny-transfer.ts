/** @file A residual network of four thousand parameters and weights for it: transfer learning in milliseconds. */

import { randomStream } from "../../src/core/random.ts";
import { elementCount } from "../../src/core/shapes.ts";
import * as layers from "../../src/layers/index.ts";
import type { PretrainedWeights } from "../../src/train/freezing/pretrained-weights.ts";

export const network = ({ classes = 4, channels = 3, size = 16 } = {}): layers.Network => {
  const { conv2d, batchNorm, relu, sequential, residual } = layers;
  const stage = (width: number, stride: number) =>
    sequential({
      "0": residual({
        branch: sequential({
          conv1: conv2d({ channels: width, kernel: 3, stride, padding: 1, bias: false }),
          bn1: batchNorm(),
          relu: relu(),
          conv2: conv2d({ channels: width, kernel: 3, padding: 1, bias: false }),
          bn2: batchNorm(),
        }),
        ...(stride === 1
          ? {}
          : {
              downsample: sequential([
                conv2d({ channels: width, kernel: 1, stride, bias: false }),
                batchNorm(),
              ]),
            }),
      }),
      relu: relu(),
    });
  return layers.network({
    name: "tiny residual",
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      conv1: conv2d({ channels: 8, kernel: 3, padding: 1, bias: false }),
      bn1: batchNorm(),
      relu: relu(),
      layer1: stage(8, 1),
      layer2: stage(16, 2),
      flatten: layers.flatten(),
      fc: layers.linear({ features: classes }),
    }),
  });
};

/** Weights of the network, but for its last layer, and statistics that no initialisation would give. */
export function pretrained(of = network()): PretrainedWeights {
  const tensors = new Map<string, Float32Array>();
  const wanted = of
    .build(1)
    .tensors.filter(({ role }) => ["parameter", "statistic"].includes(role));
  for (const [ordinal, { name, shape }] of wanted.entries()) {
    if (name.startsWith("fc.")) continue;
    const stream = randomStream(ordinal, "synthetic");
    const [low, width] =
      shape.length > 1
        ? [-1, 2 * Math.sqrt(3 / (elementCount(shape) / shape[0]!))]
        : /(weight|running_var)$/.test(name)
          ? [0.75, 0.5]
          : [-0.1, 0.2];
    const from = shape.length > 1 ? -width / 2 : low;
    const values = { length: elementCount(shape) };
    tensors.set(
      name,
      Float32Array.from(values, () => from + width * stream.uniform()),
    );
  }
  return {
    source: "tiny.pth",
    sha256: "0".repeat(64),
    tensors,
    replaced: ["fc.weight", "fc.bias"],
  };
}
