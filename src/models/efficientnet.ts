/**
 * @file EfficientNet-Lite0, with the names, places and padding of the PyTorch package that publishes its ImageNet
 * weights, so that they fit.
 * Source: Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", 2019, table 1,
 * without squeeze and excitation and with ReLU6 (TensorFlow's efficientnet/lite); efficientnet-lite-pytorch 0.1.
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

/** Expansion, output channels, blocks, the first one's stride, and the depthwise kernel, of each stage. */
const STAGES = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 40, 2, 2, 5],
  [6, 80, 3, 2, 3],
  [6, 112, 3, 1, 5],
  [6, 192, 4, 2, 5],
  [6, 320, 1, 1, 3],
] as const;
const STEM = 32;
const HEAD = 1280;

/** TensorFlow's padding: at stride 2 the odd row and column stand after. A batch norm follows each. */
const conv = (options: Omit<Conv2dOptions, "bias" | "initialization" | "padding">) =>
  conv2d({ ...options, padding: "same", bias: false, initialization: "fanOut" });

/** TensorFlow's 0.99 is the weight of what was before; ours is that of the batch. */
const norm = () => batchNorm({ epsilon: 1e-3, momentum: 0.01 });

interface BlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly expansion: number;
  readonly stride: number;
  readonly kernel: number;
}

/** Widened by 1x1, filtered channel by channel, narrowed without a ReLU; a residual where shapes allow. */
function invertedResidual({ inputs, outputs, expansion, stride, kernel }: BlockOptions): Layer {
  const hidden = inputs * expansion;
  const widened = { _expand_conv: conv({ channels: hidden, kernel: 1 }), _bn0: norm() };
  const branch = sequential({
    ...(expansion === 1 ? {} : { ...widened, relu0: relu6() }),
    _depthwise_conv: conv({ channels: hidden, kernel, stride, groups: hidden }),
    _bn1: norm(),
    relu1: relu6(),
    _project_conv: conv({ channels: outputs, kernel: 1 }),
    _bn2: norm(),
  });
  return stride === 1 && inputs === outputs ? residual({ branch }) : branch;
}

/**
 * EfficientNet-Lite0: 4.65 million parameters with 1,000 classes. (B,channels,size,size) -> (B,classes).
 * No branch is dropped in training, as it was when the published weights were made.
 */
export function efficientnetLite0({ classes, channels, size }: ModelOptions): Network {
  let inputs = STEM;
  const blocks = STAGES.flatMap(([expansion, outputs, count, first, kernel]) =>
    Array.from({ length: count }, (_, i) => {
      const stride = i === 0 ? first : 1;
      const block = invertedResidual({ inputs, outputs, expansion, stride, kernel });
      inputs = outputs;
      return block;
    }),
  );
  return network({
    name: "efficientnet_lite0",
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      _conv_stem: conv({ channels: STEM, kernel: 3, stride: 2 }),
      _bn0: norm(),
      relu0: relu6(),
      _blocks: sequential(blocks),
      _conv_head: conv({ channels: HEAD, kernel: 1 }),
      _bn1: norm(),
      relu1: relu6(),
      _avg_pooling: globalAveragePool(),
      _dropout: dropout({ p: 0.2 }),
      _fc: linear({ features: classes, initialization: 0.01 }),
    }),
  });
}
