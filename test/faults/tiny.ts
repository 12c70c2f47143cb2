/**
 * @file A trial of a few kilobytes and a few milliseconds an epoch, to be interrupted in every way; and
 * what "as if it had not been" means: the same bytes of weights, and of records but for times.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "../../src/data/types.ts";
import type { DatasetRecord, StudyEvent, Task } from "../../src/record/index.ts";
import { openRunDirectory } from "../../src/store/index.ts";
import { restoreTrial } from "../../src/study/executors/restore-trial.ts";
import { recordTrial } from "../../src/study/recorder.ts";
import { openSetup, type SetupSpec } from "../../src/study/setup.ts";
import { runTrial } from "../../src/train/run-trial.ts";

/** 28 training images of 8 x 8 in four classes, four updates an epoch. */
export const TINY: SetupSpec = {
  source: "synthetic",
  data: { size: 8, limit: 9, validation: 0.2, splitSeed: 0, augment: "default" },
  model: "vanilla",
  modelOptions: { widths: [4], hidden: 8 },
  threads: 1,
  recipe: { batch: 8 },
};

/** The same as flags of the command line; its network is larger, as it has no flag for widths. */
export const TINY_FLAGS = ["synthetic", "--size", "16", "--limit", "9", "--batch", "16"];

export const tinyTrial = (options: Partial<Task<"trial">> = {}): Task<"trial"> => ({
  kind: "trial",
  arm: "adam",
  slug: "adam",
  seed: 0,
  optimizer: { name: "adam", hyperparameters: { learningRate: 1e-2 } },
  schedule: { type: "constant", rate: 1e-2 },
  learningRateSource: "default of adam",
  epochs: 5,
  index: 0,
  trials: 1,
  ...options,
});

export interface TinyRun {
  readonly directory: string;
  readonly spec?: Task<"trial">;
  /** Default TINY. */
  readonly setup?: SetupSpec;
  /** Throws or aborts, to end the trial there. */
  readonly onEvent?: (event: StudyEvent) => void;
  readonly signal?: AbortSignal;
}

/** Runs the trial in this process, from where its folder says; gives the epochs that were trained. */
export async function runTiny(options: TinyRun) {
  const { directory, spec = tinyTrial(), setup: opened = TINY, ...hooks } = options;
  mkdirSync(directory, { recursive: true });
  const { setup, dataset } = await openSetup(opened, hooks.signal ? { signal: hooks.signal } : {});
  const epochs: number[] = [];
  try {
    const run = openRunDirectory(directory);
    const recorder = recordTrial(run);
    const from = await restoreTrial(run, spec);
    await runTrial(
      spec,
      {
        ...setup,
        sink: recorder.sink,
        onEvent(event) {
          const recorded = recorder.onEvent(event);
          if (event.type === "epoch") epochs.push(event.metrics.epoch);
          hooks.onEvent?.(event);
          return recorded;
        },
      },
      from ?? undefined,
    );
  } finally {
    dataset.close();
  }
  return epochs;
}

/** Ends the trial within the given epoch, as Ctrl-C would, or after it. */
export async function stopTiny(
  directory: string,
  afterEpoch: number,
  options: Pick<TinyRun, "spec" | "setup"> = {},
): Promise<void> {
  const controller = new AbortController();
  const onEvent = (event: StudyEvent) => {
    if (event.type === "update" && event.epoch === afterEpoch + 1) controller.abort();
  };
  const error = await runTiny({
    ...options,
    directory,
    onEvent,
    signal: controller.signal,
  }).catch((e) => e);
  if (error?.code !== "INTERRUPTED") throw error;
}

export async function tinyDataset(): Promise<{ dataset: Dataset; record: DatasetRecord }> {
  const { dataset } = await openSetup(TINY);
  return { dataset, record: dataset.record };
}

/** Every file of every trial, times taken out; logs tell of the interruptions and are left out. */
export function resultOf(directory: string): Record<string, string> {
  const result: Record<string, string> = {};
  const trials = join(directory, "trials");
  for (const trial of readdirSync(trials).sort())
    for (const name of readdirSync(join(trials, trial)).sort()) {
      if (name === "log.txt") continue;
      const file = join(trials, trial, name);
      const bytes = readFileSync(file);
      result[`${trial}/${name}`] = name.endsWith(".safetensors")
        ? bytes.toString("base64")
        : timeless(bytes.toString("utf8"));
    }
  if (Object.keys(result).length === 0) throw new Error(`${trials} holds nothing to compare`);
  return result;
}

const timeless = (text: string) =>
  text.replaceAll(/"(seconds|msPerStep|optimizerShare)": ?[^,}\n]+/g, '"$1": 0');

/** Lines of metrics.jsonl that are whole. */
export function epochsRecorded(directory: string, slug = "adam"): number {
  const file = join(directory, "trials", `${slug}-0`, "metrics.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}
