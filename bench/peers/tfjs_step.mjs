// Times training steps of the vanilla CNN in TensorFlow.js: one that does not count, then so many that
// do. Prints one JSON line:
//   {"name": "tensorflow.js 4.22.0, cpu", "parameters": 4438917, "ms": [...]}
// What runs is its pure JavaScript backend: its WebAssembly backend has no gradient of a convolution's
// weights, and its native binding is not installed from the npm registry alone.
//   node bench/peers/tfjs_step.mjs BATCH SIZE STEPS
import * as tf from "@tensorflow/tfjs";

const [batch = 2, size = 32, steps = 3] = process.argv.slice(2).map(Number);
const classes = 5;
await tf.setBackend("cpu");

const network = tf.sequential();
[32, 64, 128, 128].forEach((filters, i) => {
  const input = i === 0 ? { inputShape: [size, size, 3] } : {};
  network.add(tf.layers.conv2d({ filters, kernelSize: 3, padding: "same", ...input }));
  network.add(tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 }));
  network.add(tf.layers.reLU());
  network.add(tf.layers.maxPooling2d({ poolSize: 2 }));
});
network.add(tf.layers.flatten());
network.add(tf.layers.dropout({ rate: 0.5 }));
network.add(tf.layers.dense({ units: 512, activation: "relu" }));
network.add(tf.layers.dropout({ rate: 0.5 }));
network.add(tf.layers.dense({ units: classes }));
network.compile({
  optimizer: tf.train.sgd(1e-3),
  loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits),
});

const images = tf.randomNormal([batch, size, size, 3], 0, 1, "float32", 0);
const labels = tf.oneHot(
  Array.from({ length: batch }, (_, i) => i % classes),
  classes,
);
const ms = [];
for (let i = 0; i <= steps; i++) {
  const started = performance.now();
  await network.trainOnBatch(images, labels);
  if (i > 0) ms.push(performance.now() - started);
}
const parameters = network.trainableWeights.reduce(
  (sum, w) => sum + w.shape.reduce((a, b) => a * b, 1),
  0,
);
console.log(JSON.stringify({ name: `tensorflow.js ${tf.version.tfjs}, cpu`, parameters, ms }));
