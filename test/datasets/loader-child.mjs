// Fills batches in a process of its own and never closes the data set, for tests of how it ends:
// "wait" until the batches are there, "leave" at once with process.exit.
import { openDataset } from "../../dist/datasets/open.js";

const [, , cacheDir, end] = process.argv;
const dataset = await openDataset("synthetic", { cacheDir, size: 64, threads: 1 });
const indices = dataset.train.subarray(0, 64);
const fills = Array.from({ length: 20 }, (_, epoch) =>
  dataset.fill({
    images: new Float32Array(indices.length * 3 * 64 * 64),
    labels: new Int32Array(indices.length),
    indices,
    augment: { seed: 0, epoch },
  }),
);
if (end === "leave") {
  console.log("leaving");
  process.exit(0);
}
await Promise.all(fills);
console.log(`filled ${fills.length}`);
