/**
 * @file MobileNetV2, with torchvision's names, places and initialisation, so that its checkpoints fit.
 * Source: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, table 2;
 * torchvision 0.14, mobilenet_v2 at width 1.
 */

import {
  batchNorm,
  type Conv2dOptions,
  conv2d,
  dropout,
  globalAveragePool,
  type Layer,
  linear,
  type Network,
  network,
  relu6,
  residual,
  sequential,
} from "../layers/index.ts";
import type { ModelOptions } from "./model.ts";

/** Expansion, output channels, blocks and the first one's stride, of each stage. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;
const FIRST = 32;
const LAST = 1280;

/** A MobileNet's convolutions have no bias, as a batch norm follows each. */
const conv = (options: Omit<Conv2dOptions, "bias" | "initialization">) =>
  conv2d({ ...options, bias: false, initialization: "fanOut" });

const convNormRelu = (options: Omit<Conv2dOptions, "bias" | "initialization">): Layer =>
  sequential([conv(options), batchNorm(), relu6()]);

interface BlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly expansion: number;
  readonly stride: number;
}

/** Widened by 1x1, filtered channel by channel, narrowed without a ReLU; a residual where shapes allow. */
function invertedResidual({ inputs, outputs, expansion, stride }: BlockOptions): Layer {
  const hidden = inputs * expansion;
  const conv3x3 = { channels: hidden, kernel: 3, stride, padding: 1, groups: hidden };
  const branch = sequential({
    conv: sequential([
      ...(expansion === 1 ? [] : [convNormRelu({ channels: hidden, kernel: 1 })]),
      convNormRelu(conv3x3),
      conv({ channels: outputs, kernel: 1 }),
      batchNorm(),
    ]),
  });
  return stride === 1 && inputs === outputs ? residual({ branch }) : branch;
}

/** (B,channels,size,size) -> (B,classes). */
export function mobilenetV2({ classes, channels, size }: ModelOptions): Network {
  let inputs = FIRST;
  const blocks = STAGES.flatMap(([expansion, outputs, count, first]) =>
    Array.from({ length: count }, (_, i) => {
      const block = invertedResidual({ inputs, outputs, expansion, stride: i === 0 ? first : 1 });
      inputs = outputs;
      return block;
    }),
  );
  return network({
    name: "mobilenet_v2",
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      features: sequential([
        convNormRelu({ channels: FIRST, kernel: 3, stride: 2, padding: 1 }),
        ...blocks,
        convNormRelu({ channels: LAST, kernel: 1 }),
      ]),
      avgpool: globalAveragePool(),
      classifier: sequential([
        dropout({ p: 0.2 }),
        linear({ features: classes, initialization: 0.01 }),
      ]),
    }),
  });
}
