/**
 * @file The feature cache: a pretrained network's frozen part is run once for some augmented views of
 * each image, and every trial trains the rest from what it gave. Decision 0024.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { compileFeatures, splitNetwork } from "../compile/index.ts";
import { at, get } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError, StoreError } from "../core/errors.ts";
import { MOST_VIEWS } from "../core/limits.ts";
import type { OpenOptions } from "../data/types.ts";
import {
  FEATURE_VERSION,
  openFeatureFile,
  writeFeatureFile,
} from "../datasets/cache/feature-file.ts";
import { featureDataset, featureRows } from "../datasets/feature-dataset.ts";
import { cacheDirectory } from "../files/cache-dir.ts";
import { versioned } from "../record/index.ts";
import { refuseUnfreezingFeatures } from "../train/freezing/unfreeze.ts";
import type { TrainingSetup } from "../train/options.ts";
import { pipeline } from "../train/pipeline.ts";
import type { NamedTensor } from "../train/read-tensors.ts";

export type FeatureOptions = Pick<OpenOptions, "cacheDir" | "signal" | "onEvent"> & {
  /** Augmented views of each training image. */
  readonly views: number;
};

/** Images a run of the frozen part: of a size of its own, as a trial's batch must not change the bits. */
const BATCH = 32;

/**
 * The setup with features in place of images, and the rest of the network in place of the whole. The
 * features are computed where the cache has none; closing the new data set closes both.
 * @throws ArgumentError where the frozen part is no fixed function of the images
 * @throws StoreError for a cache that cannot be written, InterruptedError when the signal fires
 */
export async function cacheFeatures(
  setup: TrainingSetup,
  { views, cacheDir, signal, onEvent }: FeatureOptions,
): Promise<TrainingSetup> {
  const { pretrained, trainFrom } = checkedFreezing(setup, views);
  const { network, dataset, backend } = setup;
  const { prefix, rest } = splitNetwork(network, trainFrom);
  const tensors = prefix
    .build(1)
    .tensors.filter(({ role }) => role === "parameter" || role === "statistic")
    .map(({ name, shape }) => ({ name, shape, data: get(pretrained.tensors, name, "pretrained") }));
  const rows = featureRows(dataset, views);
  const length = prefix.featureShape.reduce((product, extent) => product * extent, 1);
  const fingerprint = createHash("sha256")
    .update(
      JSON.stringify({
        version: FEATURE_VERSION,
        batch: BATCH,
        views,
        dataset: dataset.record.fingerprint,
        size: dataset.size,
        augmentation: dataset.augmentation,
        mean: dataset.mean,
        std: dataset.std,
        parts: rows.parts.map(({ images }) => hashOf([images])),
        graph: prefix.build(1),
        weights: hashOf(tensors.map(({ data }) => data)),
        engine: backend.description,
        ...(setup.precision === "bf16" && { precision: "bf16" }),
      }),
    )
    .digest("hex");
  const key = { fingerprint, rows: rows.count, length };
  const file = join(cacheDirectory(cacheDir), "features", `${fingerprint.slice(0, 32)}.features`);

  const existing = await openFeatureFile(file, key);
  if (!existing) {
    const why = existsSync(file) ? { why: "the features in the cache are damaged" } : {};
    await writeFeatureFile(file, key, async ({ append }) => {
      const what = `${dataset.record.name} by ${prefix.name}`;
      let done = 0;
      const { count: total } = rows;
      const report = (why: { why?: string } = {}) =>
        onEvent?.(versioned({ type: "data", phase: "features", done, total, what, ...why }));
      report(why);
      await computeFeatures({ setup, prefix, tensors, rows, signal }, async (values, count) => {
        await append(values.subarray(0, count * length));
        done += count;
        report();
      });
    });
  }
  const opened = existing ?? (await openFeatureFile(file, key));
  if (!opened)
    throw new StoreError(`${file}: the features cannot be read back; remove it and run again`);
  return {
    ...setup,
    network: rest,
    dataset: featureDataset({ images: dataset, file: opened, views, shape: prefix.featureShape }),
    features: {
      network,
      images: dataset,
      tensors,
      views,
      threads: setup.threads ?? setup.backend.threads,
      bytes: opened.bytes,
      seconds: opened.seconds,
      found: existing !== null,
    },
  };
}

/** Features are kept only where each image has the same ones in every update of every trial. */
function checkedFreezing(
  setup: TrainingSetup,
  views: number,
): Required<Pick<TrainingSetup, "pretrained" | "trainFrom">> {
  const { pretrained, trainFrom = "all", unfreeze, frozenBatchNorm, dataset } = setup;
  checkPositiveInteger("feature cache", "views", views);
  if (views > MOST_VIEWS)
    throw new ArgumentError(
      `feature cache: views must be at most ${MOST_VIEWS}; got ${views}. Use --cache-features ${MOST_VIEWS} or less`,
    );
  const refuse = (why: string): never => {
    throw new ArgumentError(`training: --cache-features cannot be used ${why}`);
  };
  if (!pretrained)
    return refuse(
      "with weights drawn by the seed, as each seed's features would be others; add --pretrained FILE, or leave it out",
    );
  if (trainFrom === "all")
    refuse("with --train-from all, as nothing is frozen; give a module such as layer4, or head");
  if (unfreeze && unfreeze.length > 0) refuseUnfreezingFeatures(unfreeze);
  if (frozenBatchNorm === "train")
    refuse(
      "with --frozen-batch-norm train, as the features of an image then depend on its batch; leave one of the two out",
    );
  if (views > 1 && dataset.augmentation === "none")
    refuse(`with ${views} views of images that are not augmented, as all would be the same; use 1`);
  return { pretrained, trainFrom };
}

function hashOf(arrays: readonly (Float32Array | Int32Array)[]): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest("hex");
}

interface Computation {
  readonly setup: TrainingSetup;
  readonly prefix: ReturnType<typeof splitNetwork>["prefix"];
  readonly tensors: readonly NamedTensor[];
  readonly rows: ReturnType<typeof featureRows>;
  readonly signal: AbortSignal | undefined;
}

/** Runs the frozen part over all rows, in order; `take` is given those of a batch, and how many. */
async function computeFeatures(
  { setup, prefix, tensors, rows, signal }: Computation,
  take: (values: Float64Array, count: number) => Promise<void>,
): Promise<void> {
  const { dataset, backend, threads = backend.threads, precision } = setup;
  const compiled = compileFeatures({ prefix, backend, batch: BATCH, threads, precision });
  const session = await backend.openSession({ ...compiled.sessionOptions, slots: 2 });
  try {
    const values = new Map(tensors.map(({ name, data }) => [name, data]));
    for (const { name, buffer } of compiled.tensors)
      await session.write(buffer, get(values, name, "tensors"));
    await compiled.prepare(session);
    const program = await session.load(compiled.program);
    const batches = rows.parts.flatMap(({ images, view }) =>
      Array.from({ length: Math.ceil(images.length / BATCH) }, (_, i) => ({
        indices: images.subarray(i * BATCH, (i + 1) * BATCH),
        view,
      })),
    );
    await pipeline({
      count: batches.length,
      async fill(item, slot) {
        const { indices, view } = at(batches, item, "batches");
        await dataset.fill({
          images: session.images(slot),
          labels: session.labels(slot),
          indices,
          // Epochs count from 1.
          ...(view === null ? {} : { augment: { seed: 0, epoch: view + 1 } }),
        });
      },
      async step(item, slot) {
        const outputs = await program.run({ slot, scalars: compiled.scalars });
        const { length } = at(batches, item, "batches").indices;
        await take(get(outputs, "features", "outputs"), length);
        if (signal?.aborted) throw new InterruptedError();
        return true;
      },
    });
  } finally {
    session.dispose();
  }
}
