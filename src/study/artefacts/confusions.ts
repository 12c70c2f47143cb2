/**
 * @file Which classes each arm takes for which: confusions.json in the run directory, made at the
 * end from the trials' best weights, so that the report can be rendered again without the source.
 */

import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { at } from "../../core/at.ts";
import { WeightsError } from "../../core/errors.ts";
import type { Confusion } from "../../infer/confusion.ts";
import {
  type ArmConfusion,
  type ConfusionsRecord,
  confusionsRecord,
  type ExperimentRecord,
} from "../../record/index.ts";
import {
  digestOf,
  type Run,
  type RunDirectory,
  readRecord,
  readRun,
  recordsDigest,
} from "../../store/index.ts";
import type { TrainingSetup } from "../../train/options.ts";
import { readDerived, updateDerived } from "../derived-record.ts";
import { hasSamples } from "./samples.ts";

const FILE = "confusions.json";
/** The surest mistakes of an arm that are kept, no image twice. */
const MISTAKES = 12;

/** More classes than this make a matrix that nobody reads. */
const MOST_CLASSES = 20;

/**
 * Whether confusions.json was counted from the records as they are: "other" records, or none of which
 * anything is known ("unknown", as of a run of lrscope 0.1).
 */
export function confusionsFrom(path: string, run: Run): "these" | "other" | "unknown" {
  const known = readDerived(path)?.confusions;
  if (known === undefined) return "unknown";
  const content = contentOf(join(path, FILE));
  return known.from === recordsDigest(run) && known.content === content ? "these" : "other";
}

/** Digest of the file; null where there is none that can be read. */
function contentOf(file: string): string | null {
  try {
    return digestOf(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

/**
 * Counts them from the trials' best weights, and says in derived.json from which records; photos only
 * where the run keeps samples. A trial whose best weights are damaged is left out, and said to
 * `onDamaged`: the report is not lost for them.
 */
export async function writeConfusions(call: ConfusionsCall, hooks: ConfusionsHooks): Promise<void> {
  const { directory } = call;
  const run = readRun(directory.path);
  const arms = await countConfusions(call, run, hooks);
  const record: ConfusionsRecord = { formatVersion: 1, arms };
  const text = arms.length > 0 ? `${JSON.stringify(record)}\n` : null;
  // Said first: a file that is not the one spoken of counts as none.
  updateDerived(directory, {
    confusions: { from: recordsDigest(run), content: text === null ? null : digestOf(text) },
  });
  if (text === null) directory.remove(FILE);
  else directory.writeText(FILE, text);
}

interface ConfusionsCall {
  readonly setup: TrainingSetup;
  readonly directory: RunDirectory;
}

interface ConfusionsHooks {
  onDamaged(message: string): void;
  /** Trials that were asked, of all. */
  onProgress(done: number, total: number): void;
}

/**
 * As many cores as all trials had together, as far as this machine has them: those of one would leave
 * the others' idle; and as were recorded, since the bits of a probability may depend on them.
 */
function threadsFor({ protocol, arms, specification }: ExperimentRecord): number {
  const jobs = Math.min(specification?.jobs ?? 1, arms.length * protocol.seeds.length);
  return Math.max(1, Math.min(protocol.threads * jobs, availableParallelism()));
}

async function countConfusions(
  { setup, directory }: ConfusionsCall,
  { experiment, trials }: Run,
  hooks: ConfusionsHooks,
): Promise<ArmConfusion[]> {
  const { confusionOf } = await import("../stored/from-checkpoint.ts");
  const { wholeOf } = await import("../../train/freezing/frozen-features.ts");
  const { DEFAULT_ENGINE, openBackend } = await import("../../engine/native/engines.ts");
  const { batch, signal } = setup;
  const { dataset } = wholeOf(setup);
  const { classes } = dataset;
  const all: ArmConfusion[] = [];
  if (classes.length > MOST_CLASSES || dataset.validation.length === 0) return all;
  const photos = hasSamples(directory.path);
  const arms = experiment.arms.filter(({ sensitivity }) => !sensitivity);
  const asked = trials.filter(
    ({ trial }) => trial.status === "done" && arms.some(({ name }) => name === trial.arm),
  );
  if (asked.length === 0) return all;
  const threads = threadsFor(experiment);
  const backend = await openBackend(DEFAULT_ENGINE, { threads });
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
        for (const [j, count] of row.entries()) {
          const sums = at(counts, i, "counts");
          sums[j] = at(sums, j, "counts") + count;
        }
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
          truth: at(classes, truth, "classes"),
          answer: at(classes, answer, "classes"),
          probability,
          file: null,
          image: photos
            ? `data:image/png;base64,${Buffer.from(await dataset.png(image)).toString("base64")}`
            : null,
        })),
      ),
    });
  }
  hooks.onProgress(asked.length, asked.length);
  return all;
}

/**
 * Those that the run kept, unless they are known to be of other records; without their photos where those
 * are not wanted.
 */
export function readConfusions(path: string, run: Run, photos: boolean): ArmConfusion[] {
  const file = join(path, FILE);
  if (!existsSync(file) || confusionsFrom(path, run) === "other") return [];
  return readRecord(file, confusionsRecord).arms.map(({ mistakes = [], ...entry }) => ({
    ...entry,
    mistakes: photos ? mistakes : mistakes.map((mistake) => ({ ...mistake, image: null })),
  }));
}
