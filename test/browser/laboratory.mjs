// A small study that a page and Node run alike: only what the API of src/browser.ts has is used.

/** A trial as if every epoch had taken a second: clocks differ, and all else is to be equal. */
const timeless = ({ trial, metrics }) => ({
  trial: { ...trial, seconds: null, msPerStep: null },
  metrics: metrics.map((line) => ({ ...line, seconds: 1 })),
});

/** @param lrscope the module */
export async function runLaboratory(lrscope) {
  const { layers } = lrscope;
  const size = 8;
  const { images, labels, classes } = lrscope.syntheticImages({ count: 48, size });
  const dataset = await lrscope.arrayDataset({
    images,
    labels,
    classes,
    name: "shapes",
    augmentation: "photos",
  });
  const network = layers.network({
    name: "tiny",
    inputShape: [3, size, size],
    classes: classes.length,
    layer: layers.sequential({
      conv: layers.conv2d({ channels: 4, kernel: 3, padding: 1, bias: false }),
      norm: layers.batchNorm(),
      relu: layers.relu(),
      pool: layers.maxPool2d({ kernel: 2 }),
      flatten: layers.flatten(),
      drop: layers.dropout({ p: 0.2 }),
      head: layers.linear({ features: classes.length }),
    }),
  });
  const setup = { dataset, network, backend: lrscope.referenceBackend(), batch: 8 };
  const [epochs, seeds] = [2, [0, 1]];
  const optimizers = {
    adam: lrscope.adam(),
    sgd: lrscope.sgd({ learningRate: 0.05, momentum: 0.9 }),
  };
  const trials = [];
  const weights = {};
  let checkpoint;
  for (const [arm, optimizer] of Object.entries(optimizers))
    for (const seed of seeds) {
      const { trial, metrics, last } = await lrscope.fit({
        ...setup,
        optimizer,
        arm,
        epochs,
        seed,
      });
      trials.push(timeless({ trial, metrics }));
      for (const [name, { data }] of last.tensors) weights[`${arm}-${seed} ${name}`] = [...data];
      checkpoint ??= lrscope.encodeSafetensors(last);
    }
  const rangeTest = await lrscope.rangeTest({
    ...setup,
    optimizer: optimizers.sgd,
    from: 1e-4,
    to: 1,
    epochs: 2,
  });
  const experiment = await lrscope.describeExperiment({
    study: { kind: "compare", epochs, seeds },
    setup,
    arms: Object.keys(optimizers).map(lrscope.parseArm),
  });
  const report = await lrscope.renderReport({
    experiment,
    summary: lrscope.summarize(experiment, trials),
    rangeTests: [rangeTest],
    trials,
    samples: [],
  });
  const stored = lrscope.storedNetworkOf(
    lrscope.decodeSafetensors(checkpoint, "last.safetensors"),
    "last.safetensors",
  );
  const picture = (image) =>
    images.subarray(image * size * size * 3, (image + 1) * size * size * 3);
  const answers = await lrscope.classify({
    stored,
    images: [...dataset.validation],
    decode: async (batch) => batch.map((image) => ({ pixels: picture(image), reason: null })),
    backend: setup.backend,
    batch: 4,
    threads: 1,
  });
  const onnx = lrscope.onnxOf(stored).length;
  return {
    records: { trials, experiment: { ...experiment, created: "", machine: null }, answers, onnx },
    rangeTest: { ...rangeTest, seconds: 0 },
    weights,
    figures: report.figures,
    html: report.html,
    table: report.markdownTable,
  };
}
