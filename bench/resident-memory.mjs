// Claim: a trial's resident memory at epoch 500 is at most 1.05 times that at epoch 50, and its files
// grow by the records alone. Trains a tiny network with every record and checkpoint written, as the
// command line does, in a process with the flags of a trial's. Needs dist/:
//   npm run build && node --max-semi-space-size=1 bench/resident-memory.mjs
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordTrial, restoreTrial } from "../dist/lab/index.js";
import { runTrial } from "../dist/lab/run-trial.js";
import { openSetup } from "../dist/lab/setup.js";
import { openRunDirectory } from "../dist/store/index.js";

const EPOCHS = 500;
const LIMIT = 1.05;
const root = mkdtempSync(join(tmpdir(), "lrscope-memory-"));
process.env.LRSCOPE_CACHE = join(root, "cache");
const directory = openRunDirectory(join(root, "run"));
const spec = {
  arm: "adam",
  slug: "adam",
  seed: 0,
  optimizer: { name: "adam", hyperparameters: { learningRate: 1e-4 } },
  schedule: { type: "constant", rate: 1e-4 },
  learningRateSource: "given",
  epochs: EPOCHS,
  index: 0,
  trials: 1,
};
const { setup, dataset } = await openSetup({
  source: "synthetic",
  data: { size: 8, validation: 0.2, splitSeed: 0, augment: "default" },
  model: "vanilla",
  modelOptions: { widths: [4], hidden: 8 },
  training: { threads: 1, batch: 32 },
});
const filesOf = () => {
  const folder = directory.trialFile("adam", 0, ".");
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, statSync(join(entry.parentPath ?? entry.path, entry.name)).size]);
};
const at = {};
const record = recordTrial(directory);
try {
  await restoreTrial(directory, spec);
  await runTrial(spec, {
    ...setup,
    onEvent(event) {
      const recorded = record(event);
      if (event.type === "checkpoint" && [50, EPOCHS].includes(event.record.epoch))
        at[event.record.epoch] = {
          rssMiB: process.memoryUsage.rss() / 2 ** 20,
          files: Object.fromEntries(filesOf()),
        };
      return recorded;
    },
  });
} finally {
  dataset.close();
  rmSync(root, { recursive: true, force: true });
}
const ratio = at[EPOCHS].rssMiB / at[50].rssMiB;
console.log(
  JSON.stringify({ node: process.version, epochs: EPOCHS, at, ratio, limit: LIMIT }, null, 2),
);
process.exitCode = ratio <= LIMIT ? 0 : 1;
