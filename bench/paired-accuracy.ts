/**
 * @file Whether computing otherwise costs accuracy: the vanilla CNN trained by Adam, twice with the same
 * seeds, batches and augmentation.
 * - winograd: by the rule table, and with direct convolutions alone
 * - bf16: in bf16 and in fp32; where the processor has no bf16 its products are emulated, and both sides have
 *   direct convolutions alone
 *
 * `npx jiti bench/paired-accuracy.ts STUDY FOLDER [SIZE [EPOCHS [SEEDS]]]`; by default 64, 10 and 5. Writes
 * bench/results/STUDY-accuracy.json run by run, and goes on from what the same call left there.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { compileNetwork } from "../src/compile/index.ts";
import { openDataset } from "../src/datasets/open.ts";
import { nativeBackend } from "../src/engine/native/index.ts";
import { convolutionKey, isConvolution } from "../src/engine/tuning/convolution-choice.ts";
import { describeMachine } from "../src/files/machine.ts";
import { createModel } from "../src/models/index.ts";
import { createOptimizer } from "../src/optimizers/index.ts";
import { fit } from "../src/train/fit.ts";
import type { TrainingSetup } from "../src/train/options.ts";

const [study = "", folder, size = "64", epochs = "10", seeds = "5"] = process.argv.slice(2);
if (!folder || !["winograd", "bf16"].includes(study))
  throw new Error("bench: give winograd or bf16, and a folder of class folders");
const threads = availableParallelism();
const single = nativeBackend({ threads });
const backend =
  study === "bf16" && !single.capabilities.bf16
    ? nativeBackend({ threads, emulateBf16: true })
    : single;
const dataset = await openDataset(folder, { size: Number(size), threads });
const { classes, channels } = dataset;
const network = createModel("vanilla", { classes: classes.length, channels, size: dataset.size });

const direct: Record<string, string> = {};
compileNetwork({
  network,
  backend: single,
  batch: 64,
  optimizer: createOptimizer("adam"),
  threads,
  implementations(request) {
    if (isConvolution(request.kind)) direct[convolutionKey(request)] = "direct";
    return undefined;
  },
});

/** What is studied first, what it is held against second. */
const sides: Readonly<Record<string, Pick<TrainingSetup, "convolutions" | "precision">>> =
  study === "winograd"
    ? { rule: {}, direct: { convolutions: direct } }
    : single.capabilities.bf16
      ? { bf16: { precision: "bf16" }, fp32: {} }
      : {
          bf16: { convolutions: direct, precision: "bf16" },
          fp32: { convolutions: direct },
        };

interface Line {
  readonly seed: number;
  readonly side: string;
  readonly final: number;
  readonly best: number;
  /** Mean of the last third of the epochs, which one epoch's luck moves less. */
  readonly late: number;
}
const results = new URL("results/", import.meta.url);
const file = new URL(`${study}-accuracy.json`, results);
const command = `npx jiti bench/paired-accuracy.ts ${study} ${dataset.record.name} ${size} ${epochs} ${seeds}`;
const before = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
// Runs of another length, size or engine would not be pairs of these.
const lines: Line[] =
  before?.command === command && before.engine === backend.description ? before.lines : [];
for (let seed = 0; seed < Number(seeds); seed++)
  for (const [side, how] of Object.entries(sides)) {
    if (lines.some((line) => line.seed === seed && line.side === side)) continue;
    const { metrics } = await fit({
      dataset: { ...dataset, close: () => undefined },
      network,
      backend,
      threads,
      optimizer: createOptimizer("adam"),
      epochs: Number(epochs),
      seed,
      ...how,
    });
    const accuracies = metrics.map(({ validationAccuracy }) => validationAccuracy ?? 0);
    const last = accuracies.slice(-Math.ceil(accuracies.length / 3));
    lines.push({
      ...{ seed, side, final: accuracies.at(-1)!, best: Math.max(...accuracies) },
      late: last.reduce((sum, value) => sum + value, 0) / last.length,
    });
    console.error(lines.at(-1));
    mkdirSync(results, { recursive: true });
    const temporary = new URL(`${study}-accuracy.tmp`, results);
    const record = { command, machine: describeMachine(), engine: backend.description, lines };
    writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(temporary, file);
  }
dataset.close();

const [studied = "", against = ""] = Object.keys(sides);
for (const score of ["final", "best", "late"] as const) {
  const of = (wanted: string) =>
    lines.filter(({ side }) => side === wanted).map((line) => line[score]);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [first, second] = [mean(of(studied)), mean(of(against))];
  console.log(
    `${score} validation accuracy, mean of ${of(studied).length} seeds: ${studied} ${first.toFixed(4)}, ${against} ${second.toFixed(4)}, difference ${(first - second).toFixed(4)}`,
  );
}
