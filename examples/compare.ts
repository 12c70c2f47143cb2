/**
 * @file Compares three ways to train one network, over two seeds, and writes a report.
 *
 *   npx jiti examples/compare.ts [SOURCE [REPORT.html]]
 */

import { writeFile } from "node:fs/promises";
import { compare, models, nativeBackend, openImages, renderReport } from "lrscope";

const [source = "mnist", reportFile] = process.argv.slice(2);
const dataset = await openImages(source, { size: 28, limit: 200 });
const { channels, size, classes } = dataset;

const result = await compare({
  dataset,
  network: models.vanilla({
    classes: classes.length,
    channels,
    size,
    widths: [16, 32],
    hidden: 64,
  }),
  backend: nativeBackend(),
  // "sgd+clr": the cyclical schedule between bounds that a range test finds first.
  optimizers: ["sgd+clr", "adam", "rmsprop@3e-4"],
  batch: 32,
  epochs: 3,
  seeds: [0, 1],
  onEvent(event) {
    if (event.type !== "epoch") return;
    const { epoch, validationAccuracy } = event.metrics;
    console.log(
      `${event.arm}, seed ${event.seed}, epoch ${epoch}: ${validationAccuracy?.toFixed(3)}`,
    );
  },
});
dataset.close();

for (const { name, finalValidationAccuracy: final, msPerStep } of result.summary.optimizers)
  console.log(
    `${name.padEnd(14)} ${final.mean?.toFixed(3)} ± ${final.sd?.toFixed(3)}  ${msPerStep?.toFixed(1)} ms a step`,
  );

if (reportFile) {
  const { html } = await renderReport({ ...result, samples: [] });
  await writeFile(reportFile, html);
  console.log(`report: ${reportFile}`);
}
