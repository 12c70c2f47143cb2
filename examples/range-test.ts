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
  seeds: [0, 1],
});
dataset.close();

const { suggestion, verdict } = record;
if (suggestion) {
  const { constant, peak } = suggestion;
  const [low, high] = [constant.low.toPrecision(2), constant.high.toPrecision(2)];
  console.log(`constant rate: ${constant.rate.toPrecision(2)} (over seeds ${low} .. ${high})`);
  console.log(`a cycle: ${peak.baseLr.toPrecision(2)} to ${peak.rate.toPrecision(2)}`);
} else console.log(`it cannot say: ${verdict.message}`);
for (const [name, rate] of Object.entries(record.suggestions))
  console.log(`  ${name.padEnd(12)} ${rate.toPrecision(2)}`);
for (const warning of record.warnings) console.log(`note: ${warning}`);
