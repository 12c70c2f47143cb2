/**
 * @file Finds the usable learning rates of a small network.
 *
 *   npx jiti examples/range-test.ts [SOURCE]      SOURCE: a folder of class folders, or a name
 */

import { models, nativeBackend, openImages, rangeTest, sgd } from "lrscope";

const source = process.argv[2] ?? "mnist";
const dataset = await openImages(source, { size: 28, limit: 200 });
const { channels, size, classes } = dataset;

const record = await rangeTest({
  dataset,
  network: models.vanilla({
    classes: classes.length,
    channels,
    size,
    widths: [16, 32],
    hidden: 64,
  }),
  backend: nativeBackend(),
  optimizer: sgd({ momentum: 0.9 }),
  batch: 32,
  from: 1e-5,
  to: 1,
  seeds: [0, 1],
});
dataset.close();

const { maxLr, baseLr, low, high, rule } = record.suggestion;
console.log(`${rule}: from ${baseLr.toPrecision(2)} to ${maxLr.toPrecision(2)}`);
console.log(`over seeds, the upper bound lies in ${low.toPrecision(2)} .. ${high.toPrecision(2)}`);
for (const [name, rate] of Object.entries(record.suggestions))
  console.log(`  ${name.padEnd(12)} ${rate.toPrecision(2)}`);
for (const warning of record.warnings) console.log(`note: ${warning}`);
