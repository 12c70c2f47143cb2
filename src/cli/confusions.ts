/**
 * @file Which classes each arm takes for which: confusions.json in the run directory, made once at the
 * end from the trials' best weights, so that the report can be rendered again without the source.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { WeightsError } from "../core/errors.ts";
import type { Confusion, TrainingSetup } from "../lab/index.ts";
import type { ReportConfusion } from "../report/index.ts";
import { type RunDirectory, readRecord, readRun } from "../store/index.ts";
import type { Samples } from "./samples.ts";

const FILE = "confusions.json";
/** The surest mistakes of an arm that are kept, no image twice. */
const MISTAKES = 12;

const confusionsRecord = z.array(
  z.object({
    arm: z.string(),
    part: z.string(),
    classes: z.array(z.string()),
    counts: z.array(z.array(z.number().int())),
    mistakes: z.array(
      z.object({
        seed: z.number().int(),
        truth: z.string(),
        answer: z.string(),
        probability: z.number(),
        file: z.string().nullable(),
        image: z.string().startsWith("data:image/").nullable(),
      }),
    ),
  }),
);
type Confusions = z.infer<typeof confusionsRecord>;

/** More classes than this make a matrix that nobody reads. */
const MOST_CLASSES = 20;

/**
 * Of each arm that has a finished trial; photos only where the run keeps samples. A trial whose best
 * weights are damaged is left out, and said to `onDamaged`: the report is not lost for them. It takes as many cores as `threads` says: those of
 * one trial would leave the others' idle.
 */
export async function writeConfusions(
  {
    setup,
    threads,
    directory,
    samples,
  }: {
    readonly setup: TrainingSetup;
    readonly threads: number;
    readonly directory: RunDirectory;
    readonly samples: Samples;
  },
  hooks: {
    onDamaged(message: string): void;
    /** Trials that were asked, of all. */
    onProgress(done: number, total: number): void;
  },
): Promise<void> {
  const { confusionOf, wholeOf } = await import("../lab/index.ts");
  const { nativeBackend } = await import("../runtime/native/index.ts");
  const backend = nativeBackend({ threads });
  const { batch, signal } = setup;
  const { dataset } = wholeOf(setup);
  const { classes } = dataset;
  if (classes.length > MOST_CLASSES || dataset.validation.length === 0) return;
  const { experiment, trials } = readRun(directory.path);
  const all: Confusions = [];
  const arms = experiment.arms.filter(({ sensitivity }) => !sensitivity);
  const asked = trials.filter(
    ({ trial }) => trial.status === "done" && arms.some(({ name }) => name === trial.arm),
  );
  let done = 0;
  for (const { name } of arms) {
    const counts = classes.map(() => classes.map(() => 0));
    const mistakes: (Confusion["mistakes"][number] & { seed: number })[] = [];
    for (const { trial } of asked) {
      if (trial.arm !== name) continue;
      hooks.onProgress(done++, asked.length);
      const checkpoint = directory.trialFile(trial.slug, trial.seed, "best.safetensors");
      if (!existsSync(checkpoint)) continue;
      const found = await confusionOf({
        checkpoint,
        dataset,
        backend,
        ...(batch === undefined ? {} : { batch }),
        threads,
        ...(signal === undefined ? {} : { signal }),
      }).catch((error) => {
        if (!(error instanceof WeightsError)) throw error;
        hooks.onDamaged(error.message);
        return null;
      });
      if (!found) continue;
      for (const [i, row] of found.counts.entries())
        for (const [j, count] of row.entries()) counts[i]![j]! += count;
      mistakes.push(
        ...found.mistakes.slice(0, MISTAKES).map((entry) => ({ ...entry, seed: trial.seed })),
      );
    }
    if (counts.flat().every((count) => count === 0)) continue;
    mistakes.sort((a, b) => b.probability - a.probability);
    const surest = mistakes.filter(
      ({ image }, i) => mistakes.findIndex((other) => other.image === image) === i,
    );
    all.push({
      arm: name,
      part: "validation",
      classes: [...classes],
      counts,
      mistakes: await Promise.all(
        surest.slice(0, MISTAKES).map(async ({ seed, truth, answer, probability, image }) => ({
          seed,
          truth: classes[truth]!,
          answer: classes[answer]!,
          probability,
          file: null,
          image:
            samples.length > 0
              ? `data:image/png;base64,${Buffer.from(await dataset.png(image)).toString("base64")}`
              : null,
        })),
      ),
    });
  }
  hooks.onProgress(asked.length, asked.length);
  if (all.length > 0) directory.writeText(FILE, `${JSON.stringify(all)}\n`);
}

/** Those that the run kept; without their photos where those are not wanted. */
export function readConfusions(path: string, photos: boolean): ReportConfusion[] {
  const file = join(path, FILE);
  if (!existsSync(file)) return [];
  return readRecord(file, confusionsRecord).map((entry) => ({
    ...entry,
    mistakes: photos
      ? entry.mistakes
      : entry.mistakes.map((mistake) => ({ ...mistake, image: null })),
  }));
}
