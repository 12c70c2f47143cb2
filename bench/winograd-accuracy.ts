/**
 * @file Whether Winograd's rounding costs accuracy: the vanilla CNN trained by Adam, once with the rule
 * table and once with direct convolutions alone, on the same seeds, batches and augmentation.
 * `npx jiti bench/winograd-accuracy.ts FOLDER [SIZE [EPOCHS [SEEDS]]]`; by default 64, 10 and 5. Writes
 * bench/results/winograd-accuracy.json run by run, and goes on from what is there.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { compileNetwork } from "../src/compile/index.ts";
import { openDataset } from "../src/data/index.ts";
import { convolutionKey, isConvolution } from "../src/lab/convolution-choice.ts";
import { fit } from "../src/lab/index.ts";
import { describeMachine } from "../src/lab/machine.ts";
import { createModel } from "../src/models/index.ts";
import { createOptimizer } from "../src/optimizers/index.ts";
import type { ConvolutionImplementation } from "../src/program/index.ts";
import { nativeBackend } from "../src/runtime/native/index.ts";

const [folder, size = "64", epochs = "10", seeds = "5"] = process.argv.slice(2);
if (!folder) throw new Error("bench: give a folder of class folders");
const threads = availableParallelism();
const backend = nativeBackend({ threads });
const dataset = await openDataset(folder, { size: Number(size), threads });
const { classes, channels } = dataset;
const network = createModel("vanilla", { classes: classes.length, channels, size: dataset.size });

const direct: Record<string, ConvolutionImplementation> = {};
compileNetwork({
  network,
  backend,
  batch: 64,
  optimizer: createOptimizer("adam"),
  threads,
  implementations(request) {
    if (isConvolution(request.kind)) direct[convolutionKey(request)] = "direct";
    return undefined;
  },
});

interface Line {
  readonly seed: number;
  readonly convolutions: "rule" | "direct";
  readonly final: number;
  readonly best: number;
}
const file = new URL("results/winograd-accuracy.json", import.meta.url);
const command = `npx jiti bench/winograd-accuracy.ts ${dataset.record.name} ${size} ${epochs} ${seeds}`;
const lines: Line[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).lines : [];
for (let seed = 0; seed < Number(seeds); seed++)
  for (const convolutions of ["rule", "direct"] as const) {
    if (lines.some((line) => line.seed === seed && line.convolutions === convolutions)) continue;
    const { metrics } = await fit({
      dataset,
      network,
      backend,
      threads,
      optimizer: createOptimizer("adam"),
      epochs: Number(epochs),
      seed,
      ...(convolutions === "direct" ? { convolutions: direct } : {}),
    });
    const accuracies = metrics.map(({ validationAccuracy }) => validationAccuracy ?? 0);
    lines.push({ seed, convolutions, final: accuracies.at(-1)!, best: Math.max(...accuracies) });
    console.error(lines.at(-1));
    mkdirSync(new URL("results/", import.meta.url), { recursive: true });
    const temporary = new URL("results/winograd-accuracy.tmp", import.meta.url);
    const record = { command, machine: describeMachine(), engine: backend.description, lines };
    writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(temporary, file);
  }
dataset.close();

for (const score of ["final", "best"] as const) {
  const of = (wanted: Line["convolutions"]) =>
    lines.filter(({ convolutions }) => convolutions === wanted).map((line) => line[score]);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [rule, plain] = [mean(of("rule")), mean(of("direct"))];
  console.log(
    `${score} validation accuracy, mean of ${of("rule").length} seeds: rule ${rule.toFixed(4)}, direct ${plain.toFixed(4)}, difference ${(rule - plain).toFixed(4)}`,
  );
}
