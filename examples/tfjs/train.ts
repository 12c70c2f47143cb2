/**
 * @file TensorFlow.js with lrscope: a range test of a model, then training on a cyclical schedule
 * between the bounds that it found. lrscope's own engine is not loaded.
 *
 *   npm install @tensorflow/tfjs && npx jiti examples/tfjs/train.ts
 */

import * as tf from "@tensorflow/tfjs";
import { snapCycles, triangular } from "lrscope/schedules";
import { modelRangeTest } from "./range-test.ts";
import { followSchedules } from "./schedule-callback.ts";

await tf.setBackend("cpu");

// Two interleaved half-moons: points in the plane, two classes.
const points = 256;
const batchSize = 32;
const angles = tf.linspace(0, Math.PI, points / 2);
const upper = tf.stack([tf.cos(angles), tf.sin(angles)], 1);
const lower = tf.stack([tf.sub(1, tf.cos(angles)), tf.sub(0.5, tf.sin(angles))], 1);
const order = Array.from({ length: points }, (_, i) => (i * 197) % points);
const xs = tf.concat([upper, lower]).add(tf.randomNormal([points, 2], 0, 0.1, "float32", 1));
const shuffled = tf.gather(xs, order) as tf.Tensor2D;
const labels = tf.tensor2d(order.map((i) => [i < points / 2 ? 0 : 1]));

const model = tf.sequential({
  layers: [
    tf.layers.dense({
      units: 16,
      activation: "relu",
      inputShape: [2],
      kernelInitializer: tf.initializers.heNormal({ seed: 1 }),
    }),
    tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.heNormal({ seed: 2 }) }),
    tf.layers.activation({ activation: "sigmoid" }),
  ],
});
model.compile({
  optimizer: tf.train.momentum(0.01, 0.9),
  loss: "binaryCrossentropy",
  metrics: ["accuracy"],
});

const { suggestion, verdict, suggestions } = await modelRangeTest(model, {
  from: 1e-4,
  to: 10,
  updates: 64,
  batch(update) {
    const start = (update * batchSize) % points;
    return {
      xs: shuffled.slice([start, 0], [batchSize, 2]),
      ys: labels.slice([start, 0], [batchSize, 1]),
    };
  },
});
if (!suggestion) throw new Error(`the range test cannot say: ${verdict.message}`);
const { baseLr, rate: maxLr } = suggestion.peak;
console.log(`usable rates: ${baseLr.toPrecision(2)} to ${maxLr.toPrecision(2)}`);
console.log(`by rule: ${JSON.stringify(suggestions)}`);

const epochs = 8;
const cycles = triangular({ base: baseLr, max: maxLr, stepSize: 16 });
const learningRate = snapCycles(cycles, (epochs * points) / batchSize);
const { history } = await model.fit(shuffled, labels, {
  epochs,
  batchSize,
  shuffle: false,
  verbose: 0,
  callbacks: followSchedules(model.optimizer, { learningRate }),
});
const accuracy = history.acc as number[];
console.log(`training accuracy, epoch by epoch: ${accuracy.map((a) => a.toFixed(2)).join(" ")}`);
