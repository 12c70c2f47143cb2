/**
 * @file The seconds of a whole study by how many of its trials run at a time: one with all cores, or several that
 * share them. Six arms and two seeds, as `lrscope compare` runs them: processes of their own, decoding, validation,
 * records and report. The arrangements take turns in one run.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileNetwork } from "../compile/index.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { quietly } from "../core/cleanup.ts";
import { InternalError } from "../core/errors.ts";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import { createOptimizer } from "../optimizers/index.ts";
import { openStudy } from "../study/open-study.ts";
import { runStudy } from "../study/run-study.ts";
import { drawFolder } from "./data.ts";
import { measureTriad } from "./machine-peaks.ts";
import { movedBytes } from "./traffic.ts";
import { type BenchProgress, type Side, statistics, type Times, takeTurns } from "./turns.ts";

export interface BenchStudyOptions {
  /** Name of a network of the collection; default "vanilla". */
  readonly model?: string;
  /** Height and width of the images; default 128. */
  readonly size?: number;
  /** Images a step; default 64. */
  readonly batch?: number;
  /** Images of the training part; default 640. */
  readonly images?: number;
  /** Of each trial; default 4. */
  readonly epochs?: number;
  /** Cores of all trials together; default all. */
  readonly threads?: number;
  /** Measured studies of each arrangement; default 3. */
  readonly repetitions?: number;
  readonly onProgress?: (progress: BenchProgress) => void;
  readonly signal?: AbortSignal;
}

/** So many trials at a time, with so many cores each. */
export interface StudyArrangement extends Times {
  readonly jobs: number;
  /** Cores of each trial. */
  readonly threads: number;
  /** Median of the study with one trial at a time / median of this. */
  readonly gain: number;
  /** Updates of all trials in a second of the study. */
  readonly updatesPerSecond: number;
  /** Gigabytes (10^9) a second that these updates read and write at least. */
  readonly gbPerSecond: number;
}

/** What `bench study --json` prints. */
export interface BenchStudyRecord {
  readonly model: string;
  readonly size: number;
  readonly batch: number;
  readonly images: number;
  readonly epochs: number;
  readonly arms: number;
  readonly seeds: number;
  /** Of each trial. */
  readonly updates: number;
  /** Cores of all trials together. */
  readonly threads: number;
  /** That an update reads and writes at least, with plain SGD. */
  readonly bytesPerUpdate: number;
  /** Gigabytes (10^9) a second of a triad with all cores. */
  readonly triadGBs: number;
  readonly arrangements: readonly StudyArrangement[];
  readonly machine: ReturnType<typeof describeMachine>;
  readonly engine: string;
}

/** Rates at which no arm diverges, whatever the network: what is compared is time. */
const OPTIMIZERS = ["adagrad", "adadelta", "rmsprop", "adam", "adamax"].map(
  (name) => `${name}@1e-6`,
);
const ARMS = [...OPTIMIZERS, "sgd+clr@1e-6"];
const SEEDS = [0, 1];
const VALIDATION_IMAGES = 60;

/**
 * How long six arms with two seeds take, by how many trials run at a time. Times are medians, in milliseconds.
 * @throws ArgumentError for a network that there is not, or counts below 1
 */
export async function benchStudy(options: BenchStudyOptions = {}): Promise<BenchStudyRecord> {
  const { model = "vanilla", size = 128, batch = 64, images = 640, epochs = 4 } = options;
  const { threads = defaultThreads(), repetitions = 3, onProgress, signal } = options;
  for (const [name, value] of Object.entries({
    ...{ size, batch, images, epochs, threads, repetitions },
  }))
    checkPositiveInteger("bench study", name, value);
  const folder = mkdtempSync(join(tmpdir(), "lrscope-bench-"));
  try {
    const source = join(folder, "images");
    await drawFolder(join(source, "train"), images, [320, 240]);
    await drawFolder(join(source, "val"), VALIDATION_IMAGES, [320, 240]);
    let made = 0;
    const open = (jobs: number) =>
      openStudy(
        {
          ...{ formatVersion: 2, kind: "compare", source: null, model },
          ...{ optimizers: ARMS, seeds: SEEDS, epochs, jobs },
          data: { size, validation: 0.2, splitSeed: 0, augment: "default" },
          recipe: { batch },
          answers: {},
        },
        {
          ...{ places: { source }, out: join(folder, `study-${made++}`), threads },
          ...(signal ? { signal } : {}),
        },
      );
    let updates = 0;
    const run = async (jobs: number): Promise<number> => {
      const study = await open(jobs);
      try {
        updates = epochs * study.experiment.protocol.updatesPerEpoch;
        const begun = performance.now();
        const { failure, run } = await runStudy(study, signal ? { signal } : {});
        const seconds = performance.now() - begun;
        if (failure) throw failure;
        for (const { trial } of run.trials)
          if (trial.status !== "done")
            throw new InternalError(`bench study: ${trial.slug} ended as ${trial.status}`);
        return seconds;
      } finally {
        study.close();
      }
    };
    const sides = jobCounts(threads).map((jobs) => ({
      ...{ jobs, name: `${jobs} at a time`, times: [] as number[] },
      async run(count: number) {
        const times: number[] = [];
        for (let i = 0; i < count; i++) times.push(await run(jobs));
        return times;
      },
    })) satisfies Side[];
    // Decodes the images, which the first study alone would do.
    const { bytesPerUpdate, engine } = await trafficOf(await open(1), batch);
    await takeTurns({
      ...{ sides, repetitions, warmUp: 0, signal },
      ...(onProgress ? { onProgress } : {}),
    });
    const [one] = sides.map(({ times }) => statistics(times).medianMs);
    return {
      ...{ model, size, batch, images, epochs, arms: ARMS.length, seeds: SEEDS.length, updates },
      ...{ threads, bytesPerUpdate, triadGBs: await measureTriad(threads, "best") },
      arrangements: sides.map(({ jobs, times }) => {
        const own = statistics(times);
        const updatesPerSecond = (1000 * ARMS.length * SEEDS.length * updates) / own.medianMs;
        return {
          ...{ jobs, threads: Math.floor(threads / jobs), ...own },
          gain: (one ?? own.medianMs) / own.medianMs,
          updatesPerSecond,
          gbPerSecond: (updatesPerSecond * bytesPerUpdate) / 1e9,
        };
      }),
      ...{ machine: describeMachine(), engine },
    };
  } finally {
    quietly(() => rmSync(folder, { recursive: true, force: true }));
  }
}

/** 1, 2, 4, ... and as many as there are cores. */
export function jobCounts(cores: number): number[] {
  const counts = [];
  for (let jobs = 1; jobs < cores; jobs *= 2) counts.push(jobs);
  return [...counts, cores];
}

async function trafficOf(study: Awaited<ReturnType<typeof openStudy>>, batch: number) {
  try {
    const { network } = study.setup;
    const backend = await openBackend(DEFAULT_ENGINE, { threads: defaultThreads() });
    const compiled = compileNetwork({
      ...{ network, backend, threads: defaultThreads(), batch },
      ...{ optimizer: createOptimizer("sgd"), slots: 1 },
    });
    const bytes = movedBytes(compiled.programs.train);
    return {
      bytesPerUpdate: bytes.reduce((sum, one) => sum + one, 0),
      engine: backend.description,
    };
  } finally {
    study.close();
  }
}
