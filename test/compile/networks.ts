/** @file Networks for the compiler's tests: drawn at random, and a little one that has every pass at work. */

import fc from "fast-check";
import {
  batchNorm,
  conv2d,
  dropout,
  flatten,
  globalAveragePool,
  type Layer,
  linear,
  maxPool2d,
  type Network,
  network,
  relu,
  residual,
  sequential,
} from "../../src/layers/index.ts";

/** Layers that keep (B,C,H,W) of any size at least 1x1 valid. */
const shapeSafe: fc.Arbitrary<Layer> = fc.oneof(
  fc
    .record({
      channels: fc.integer({ min: 1, max: 5 }),
      kernel: fc.constantFrom(1, 3),
      stride: fc.constantFrom(1, 2),
    })
    .map(({ channels, kernel, stride }) =>
      conv2d({ channels, kernel, stride, padding: (kernel - 1) / 2 }),
    ),
  fc.constant(batchNorm()),
  fc.constant(relu()),
  fc.constant(sequential([batchNorm(), relu()])),
  fc.constant(dropout({ p: 0.3 })),
  fc.constant(maxPool2d({ kernel: 3, stride: 2, padding: 1 })),
  fc.constant(maxPool2d({ kernel: 3, stride: 1, padding: 1 })),
  fc.constantFrom(residual({ branch: relu() }), residual({ branch: batchNorm() })),
  fc.constant(residual({ branch: dropout({ p: 0.2 }), downsample: batchNorm() })),
);

/** A classifier of small images: up to six layers, then a linear one. */
export const randomNetworks: fc.Arbitrary<Network> = fc
  .record({
    layers: fc.array(shapeSafe, { maxLength: 6 }),
    channels: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 3, max: 7 }),
  })
  .map(({ layers, channels, size }) =>
    network({
      name: "random",
      inputShape: [channels, size, size + 1],
      classes: 3,
      layer: sequential([...layers, flatten(), linear({ features: 3 })]),
    }),
  );

/** Convolution, batch norm, ReLU and pooling, twice; two linear layers: 3x8x8 images, 4 classes. */
export const littleNetwork = (): Network => {
  const block = (channels: number) => [
    conv2d({ channels, kernel: 3, padding: 1 }),
    batchNorm(),
    relu(),
    maxPool2d({ kernel: 2 }),
  ];
  return network({
    name: "little",
    inputShape: [3, 8, 8],
    classes: 4,
    layer: sequential({
      features: sequential([...block(5), ...block(6)]),
      flatten: flatten(),
      classifier: sequential([dropout(), linear({ features: 7 }), relu(), linear({ features: 4 })]),
    }),
  });
};

/** Residual sums with and without a branch of their own beside them, odd sizes: 3x11x9 images, 4 classes. */
export const residualNetwork = (): Network => {
  const conv = (channels: number, stride = 1) =>
    conv2d({ channels, kernel: 3, stride, padding: 1, bias: false });
  return network({
    name: "residual",
    inputShape: [3, 11, 9],
    classes: 4,
    layer: sequential([
      conv(16),
      batchNorm(),
      relu(),
      maxPool2d({ kernel: 3, stride: 2, padding: 1 }),
      residual({ branch: sequential([conv(16), batchNorm(), relu(), conv(16), batchNorm()]) }),
      relu(),
      residual({
        branch: sequential([conv(17, 2), batchNorm()]),
        downsample: sequential([conv2d({ channels: 17, kernel: 1, stride: 2 }), batchNorm()]),
      }),
      relu(),
      globalAveragePool(),
      linear({ features: 4 }),
    ]),
  });
};
