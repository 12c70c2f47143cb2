/**
 * @file What the tasks of a study train, opened on this machine: where the images lie and how they are
 * split, which network, and how it is trained. Plain data, so that a process of its own can open it again.
 */

import type { Dataset, OpenedAlready, OpenOptions } from "../data/types.ts";
import type { StudySpec } from "../record/index.ts";
import { freezing } from "../train/freezing/transfer.ts";
import type { TrainingSetup } from "../train/options.ts";
import type { ModelShape } from "./load-model.ts";
import type { StudyPlaces } from "./places.ts";

/** The part of a study that says what is trained, with names or this machine's paths where it says null. */
export interface SetupSpec
  extends StudyPlaces,
    Partial<Pick<StudySpec, "modelOptions" | "cacheFeatures" | "threads">>,
    Pick<TrainingSetup, "convolutions" | "convolutionsDecidedBy"> {
  readonly data: Partial<StudySpec["data"]>;
  readonly recipe: Partial<StudySpec["recipe"]>;
  /** Cores for what is done before there are trials to share them: decoding, features. Default: a trial's. */
  readonly preparationThreads?: number;
  /** The data set, where a process that waits for this one has opened it. */
  readonly again?: OpenedAlready;
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
  const standIn = buildModel({ classes: 2, channels: 3, size: spec.data.size ?? 512 });
  const { DEFAULT_ENGINE, openBackend } = await import("../engine/native/engines.ts");
  const { defaultThreads } = await import("../files/machine.ts");
  const { threads = defaultThreads(), convolutions, convolutionsDecidedBy } = spec;
  const { preparationThreads = threads } = spec;
  const backend = await openBackend(DEFAULT_ENGINE, { threads });
  const { openPretrained } = await import("./pretrained.ts");
  const { fitWeights } = await import("./weights/fit-weights.ts");
  const file =
    spec.pretrained === undefined
      ? null
      : await openPretrained(spec.pretrained, { model: spec.model, network: standIn, ...hooks });
  const { openAgain, openDataset } = await import("../datasets/open.ts");
  const known =
    spec.again && (await openAgain(spec.again, { threads: preparationThreads, ...hooks }));
  const openSource = () =>
    openDataset(spec.source, {
      ...spec.data,
      ...hooks,
      threads: preparationThreads,
      // The weights know images as they saw them.
      ...(file ? { normalization: file.normalization } : {}),
    });
  const dataset = known ?? (await openSource());
  try {
    const network = buildModel(shapeOf(dataset));
    const { signal } = hooks;
    const setup: TrainingSetup = {
      dataset,
      network,
      backend,
      threads,
      ...(convolutions ? { convolutions } : {}),
      ...(convolutionsDecidedBy ? { convolutionsDecidedBy } : {}),
      ...spec.recipe,
      ...freezing(spec),
      ...(file ? { pretrained: fitWeights(file, network, { classes: dataset.classes }) } : {}),
      ...(signal ? { signal } : {}),
    };
    if (spec.cacheFeatures === undefined) return { setup, dataset };
    const { cacheFeatures } = await import("./features.ts");
    const cached = await cacheFeatures(
      {
        ...setup,
        backend: await openBackend(DEFAULT_ENGINE, { threads: preparationThreads }),
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
