/**
 * @file A network, an optimizer and a schedule of one's own.
 *
 *   npx jiti examples/custom-network.ts [SOURCE]
 */

import {
  cosineDecay,
  defineOptimizer,
  fit,
  type layers as Layers,
  layers,
  linearRamp,
  nativeBackend,
  openImages,
  sequence,
} from "lrscope";

const { batchNorm, conv2d, globalAveragePool, linear, maxPool2d, relu, residual, sequential } =
  layers;

/** Convolution and batch norm around a way past them: (B,C,H,W) -> (B,C,H,W). */
const residualBlock = (channels: number): Layers.Layer[] => [
  residual({
    branch: sequential({
      conv: conv2d({ channels, kernel: 3, padding: 1, bias: false }),
      norm: batchNorm(),
    }),
  }),
  relu(),
];

/**
 * Signum: momentum of the gradient, of which only the sign is used.
 * Source: Bernstein et al., "signSGD: compressed optimisation for non-convex problems", 2018.
 */
const signum = defineOptimizer({
  name: "signum",
  hyperparameters: { learningRate: 1e-3, beta: 0.9 },
  belowOne: ["beta"],
  state: () => ({ m: { shape: "parameter", initial: 0 } }),
  update({ parameter, gradient, state, lr }, { beta }) {
    const m = state.m!.mul(beta).add(gradient.mul(beta.complement()));
    return { m, parameter: parameter.sub(m.sign().mul(lr)) };
  },
});

const dataset = await openImages(process.argv[2] ?? "mnist", { size: 28, limit: 200 });
const { channels, size, classes } = dataset;

const network = layers.network({
  name: "small-residual",
  inputShape: [channels, size, size],
  classes: classes.length,
  layer: sequential([
    conv2d({ channels: 16, kernel: 3, padding: 1 }),
    relu(),
    maxPool2d({ kernel: 2 }),
    ...residualBlock(16),
    ...residualBlock(16),
    globalAveragePool(),
    linear({ features: classes.length }),
  ]),
});

const epochs = 4;
const batch = 32;
const updates = epochs * Math.ceil(dataset.train.length / batch);
const warmUp = Math.ceil(updates / 10);

const { trial, metrics } = await fit({
  dataset,
  network,
  backend: nativeBackend(),
  optimizer: signum(),
  schedule: sequence(
    [warmUp, linearRamp({ from: 1e-5, to: 2e-3, steps: warmUp })],
    [updates - warmUp, cosineDecay({ peak: 2e-3, steps: updates - warmUp })],
  ),
  batch,
  epochs,
});
dataset.close();

for (const { epoch, lr, trainLoss, validationAccuracy } of metrics)
  console.log(
    `epoch ${epoch}: rate ${lr.toExponential(1)}, loss ${trainLoss?.toFixed(3)}, accuracy ${validationAccuracy?.toFixed(3)}`,
  );
console.log(`${trial.arm}: ${trial.status}`);
