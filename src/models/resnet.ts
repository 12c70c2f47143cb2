/**
 * @file ResNet-18, -34 and -50, with torchvision's names, strides and initialisation, so that its
 * checkpoints fit. Source: He et al., "Deep residual learning for image recognition", 2016, table 1
 * (torchvision's variant of ResNet-50 puts a bottleneck's stride on the 3x3 convolution).
 */

import {
  batchNorm,
  type Conv2dOptions,
  conv2d,
  globalAveragePool,
  type Layer,
  linear,
  maxPool2d,
  type Network,
  network,
  relu,
  residual,
  sequential,
} from "../layers/index.ts";
import type { ModelOptions } from "./model.ts";

/** A ResNet's convolutions have no bias, as a batch norm follows each. */
const conv = (options: Omit<Conv2dOptions, "bias" | "initialization">) =>
  conv2d({ ...options, bias: false, initialization: "fanOut" });

interface BlockOptions {
  readonly width: number;
  readonly stride: number;
  /** Whether the input's shape differs from the output's, so that it must be projected. */
  readonly project: boolean;
}

/** One residual block; the ReLU comes after the sum and has no parameters to name. */
function block(
  branch: Readonly<Record<string, Layer>>,
  channels: number,
  options: BlockOptions,
): Layer {
  const { stride, project } = options;
  const projection = sequential([conv({ channels, kernel: 1, stride }), batchNorm()]);
  const sum = residual({ branch: sequential(branch), ...(project && { downsample: projection }) });
  return { build: (x, scope) => relu().build(sum.build(x, scope), scope) };
}

function basicBlock(options: BlockOptions): Layer {
  const { width: channels, stride } = options;
  const branch = {
    conv1: conv({ channels, kernel: 3, stride, padding: 1 }),
    bn1: batchNorm(),
    relu: relu(),
    conv2: conv({ channels, kernel: 3, padding: 1 }),
    bn2: batchNorm(),
  };
  return block(branch, channels, options);
}

function bottleneck(options: BlockOptions): Layer {
  const { width, stride } = options;
  const branch = {
    conv1: conv({ channels: width, kernel: 1 }),
    bn1: batchNorm(),
    relu1: relu(),
    conv2: conv({ channels: width, kernel: 3, stride, padding: 1 }),
    bn2: batchNorm(),
    relu2: relu(),
    conv3: conv({ channels: 4 * width, kernel: 1 }),
    bn3: batchNorm(),
  };
  return block(branch, 4 * width, options);
}

interface Kind {
  readonly name: string;
  /** Blocks of each of the four stages. */
  readonly stages: readonly number[];
  readonly makeBlock: (options: BlockOptions) => Layer;
  /** Output channels of a block over its width. */
  readonly expansion: number;
}

function resnet({ name, stages, makeBlock, expansion }: Kind, options: ModelOptions): Network {
  const { classes, channels, size } = options;
  const stage = (blocks: number, index: number) => {
    const width = 64 * 2 ** index;
    const stride = index === 0 ? 1 : 2;
    const first = makeBlock({ width, stride, project: stride !== 1 || expansion !== 1 });
    const others = Array.from({ length: blocks - 1 }, () =>
      makeBlock({ width, stride: 1, project: false }),
    );
    return sequential([first, ...others]);
  };
  return network({
    name,
    inputShape: [channels, size, size],
    classes,
    layer: sequential({
      conv1: conv({ channels: 64, kernel: 7, stride: 2, padding: 3 }),
      bn1: batchNorm(),
      relu: relu(),
      maxpool: maxPool2d({ kernel: 3, stride: 2, padding: 1 }),
      ...Object.fromEntries(stages.map((blocks, i) => [`layer${i + 1}`, stage(blocks, i)])),
      avgpool: globalAveragePool(),
      fc: linear({ features: classes }),
    }),
  });
}

/** ResNet-18 as torchvision has it: basic blocks, 2 in each stage. (B,channels,size,size) -> (B,classes). */
export const resnet18 = (options: ModelOptions): Network =>
  resnet({ name: "resnet18", stages: [2, 2, 2, 2], makeBlock: basicBlock, expansion: 1 }, options);

/** ResNet-34: basic blocks, 3, 4, 6 and 3 in the stages. (B,channels,size,size) -> (B,classes). */
export const resnet34 = (options: ModelOptions): Network =>
  resnet({ name: "resnet34", stages: [3, 4, 6, 3], makeBlock: basicBlock, expansion: 1 }, options);

/** ResNet-50: bottlenecks, 3, 4, 6 and 3 in the stages. (B,channels,size,size) -> (B,classes). */
export const resnet50 = (options: ModelOptions): Network =>
  resnet({ name: "resnet50", stages: [3, 4, 6, 3], makeBlock: bottleneck, expansion: 4 }, options);
