/**
 * @file What trials train, as plain data, so that a process of its own can open it again: where the
 * images lie and how they are split, which network, and how it is trained.
 */

import type { Dataset, OpenOptions } from "../data/types.ts";
import { freezing } from "../train/freezing/transfer.ts";
import type { TrainingSetup } from "../train/options.ts";
import type { ModelShape } from "./load-model.ts";

export interface SetupSpec {
  /** A source's name, or a path of this machine: never part of a record. */
  readonly source: string;
  readonly data: Pick<
    OpenOptions,
    "size" | "limit" | "validation" | "test" | "splitSeed" | "augment"
  >;
  /** A name of the collection, or the path of a file that exports `network`. */
  readonly model: string;
  readonly modelOptions?: { readonly widths?: readonly number[]; readonly hidden?: number };
  /** Weights to begin from: a published name, or the path of a file on this machine. */
  readonly pretrained?: string;
  /** Augmented views of each image whose features are kept; absent: no feature cache. */
  readonly cacheFeatures?: number;
  /** Cores for what is done before there are trials to share them: decoding, features. Default: a trial's. */
  readonly preparationThreads?: number;
  readonly training: { readonly threads: number } & Pick<
    TrainingSetup,
    | "trainFrom"
    | "unfreeze"
    | "frozenBatchNorm"
    | "batch"
    | "accumulate"
    | "dropLast"
    | "labelSmoothing"
    | "classWeights"
    | "clip"
    | "convolutions"
    | "convolutionsDecidedBy"
    | "clipValue"
    | "precision"
    | "parameterGroups"
    | "decayBiasesAndNorms"
    | "average"
    | "snapshots"
  >;
}

export interface OpenedSetup {
  readonly setup: TrainingSetup;
  readonly dataset: Dataset;
}

/**
 * Opens all that a trial needs; the caller closes `dataset`. The network is built first, with stand-in
 * sizes, so that an unknown model, or a size that pooling reduces to nothing, is refused before
 * anything is decoded.
 * @throws LrscopeError where data, network or engine cannot be had
 */
export async function openSetup(
  spec: SetupSpec,
  hooks: Pick<OpenOptions, "signal" | "onEvent"> = {},
): Promise<OpenedSetup> {
  const { loadModel } = await import("./load-model.ts");
  const buildModel = await loadModel(spec.model, spec.modelOptions);
  buildModel({ classes: 2, channels: 3, size: spec.data.size ?? 512 });
  const { nativeBackend } = await import("../engine/native/index.ts");
  const { threads } = spec.training;
  const { preparationThreads = threads } = spec;
  const backend = nativeBackend({ threads });
  const { fitWeights, openPretrained } = await import("./pretrained.ts");
  const file =
    spec.pretrained === undefined
      ? null
      : await openPretrained(spec.pretrained, { model: spec.model, ...hooks });
  const { openDataset } = await import("../datasets/open.ts");
  const dataset = await openDataset(spec.source, {
    ...spec.data,
    ...hooks,
    threads: preparationThreads,
    // The weights know images as they saw them.
    ...(file ? { normalization: file.normalization } : {}),
  });
  try {
    const network = buildModel(shapeOf(dataset));
    const { signal } = hooks;
    const setup: TrainingSetup = {
      dataset,
      network,
      backend,
      ...spec.training,
      ...freezing(spec),
      ...(file ? { pretrained: fitWeights(file, network) } : {}),
      ...(signal ? { signal } : {}),
    };
    if (spec.cacheFeatures === undefined) return { setup, dataset };
    const { cacheFeatures } = await import("./features.ts");
    const cached = await cacheFeatures(
      {
        ...setup,
        backend: nativeBackend({ threads: preparationThreads }),
        threads: preparationThreads,
      },
      { ...hooks, views: spec.cacheFeatures },
    );
    return { setup: { ...cached, backend, threads }, dataset: cached.dataset };
  } catch (error) {
    dataset.close();
    throw error;
  }
}

const shapeOf = ({ classes, channels, size }: Dataset): ModelShape => ({
  classes: classes.length,
  channels,
  size,
});
