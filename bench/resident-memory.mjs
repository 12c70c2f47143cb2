// Claim: a trial's resident memory at epoch 500 is at most 1.05 times that at epoch 50, and its files
// grow by the records alone. Trains a tiny network with every record and checkpoint written, in a process
// of its own as the command line does, and reads what the system says of that process: the median of the
// ten epochs up to each of the two, as every checkpoint lifts it for a moment. Linux; needs dist/:
//   npm run build && node bench/resident-memory.mjs [RUNS]
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRunDirectory } from "../dist/store/index.js";
import { runTrials } from "../dist/study/executors/task-runner.js";
import { openSetup } from "../dist/study/setup.js";
import { planOf } from "../dist/train/plan.js";

const EPOCHS = 500;
const EARLY = 50;
const SAMPLES = 10;
const LIMIT = 1.05;
const UPDATES = 17;
const root = mkdtempSync(join(tmpdir(), "lrscope-memory-"));
process.env.LRSCOPE_CACHE = join(root, "cache");
const spec = {
  arm: "adam",
  slug: "adam",
  seed: 0,
  optimizer: { name: "adam", hyperparameters: { learningRate: 1e-4 } },
  schedule: { type: "constant", rate: 1e-4 },
  learningRateSource: "given",
  // Some more: a finished trial has no process.
  epochs: EPOCHS + 5,
  index: 0,
  trials: 1,
};
const tiny = {
  source: "synthetic",
  data: { size: 8, validation: 0.2, splitSeed: 0, augment: "default" },
  model: "vanilla",
  modelOptions: { widths: [4], hidden: 8 },
  training: { threads: 1, batch: 32 },
};

const residentMiB = (pid) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
const filesOf = (folder) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [
        entry.name,
        statSync(join(entry.parentPath ?? entry.path, entry.name)).size,
      ]),
  );
const medianOf = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function run(path) {
  const { setup, dataset } = await openSetup(tiny);
  const shared = { setup: tiny, dataset: dataset.record, plan: planOf(setup, spec.optimizer) };
  dataset.close();
  const directory = openRunDirectory(path);
  const folder = directory.trialFile("adam", 0, ".");
  const samples = { [EARLY]: [], [EPOCHS]: [] };
  const files = {};
  await runTrials([spec], {
    ...{ directory, shared, jobs: 1, updatesPerEpoch: UPDATES },
    signal: new AbortController().signal,
    onEvent(event) {
      if (event.type !== "epoch") return;
      const { epoch } = event.metrics;
      const at = [EARLY, EPOCHS].find((end) => epoch > end - SAMPLES && epoch <= end);
      if (at === undefined) return;
      const { pid } = JSON.parse(readFileSync(join(folder, "lock"), "utf8"));
      samples[at].push(residentMiB(pid));
      if (epoch === at) files[at] = filesOf(folder);
    },
  });
  const [early, late] = [medianOf(samples[EARLY]), medianOf(samples[EPOCHS])];
  return { residentMiB: { [EARLY]: early, [EPOCHS]: late }, ratio: late / early, files };
}

try {
  const runs = [];
  for (let i = 0; i < Number(process.argv[2] ?? 1); i++)
    runs.push(await run(join(root, `run-${i}`)));
  const worst = Math.max(...runs.map(({ ratio }) => ratio));
  console.log(JSON.stringify({ node: process.version, runs, worst, limit: LIMIT }, null, 2));
  process.exitCode = worst <= LIMIT ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
