/** @file experiment.json: everything that a reader needs to judge or repeat a run. */

import { trainingGraph } from "../compile/graph/passes.ts";
import { elementCount } from "../core/shapes.ts";
import { VERSION } from "../core/version.ts";
import {
  type ArmRecord,
  type ExperimentRecord,
  type Planned,
  protocolOf,
  type StudySpec,
} from "../record/index.ts";
import { checkFits, planEpoch } from "./compile-options.ts";
import { type Features, wholeOf } from "./freezing/frozen-features.ts";
import type { PretrainedWeights } from "./freezing/pretrained-weights.ts";
import { checkUnfreezing, whollyUnfrozen } from "./freezing/unfreeze.ts";
import type { TrainingSetup } from "./options.ts";
import { updatesOfRun } from "./run-length.ts";

/** What the record says of where the experiment runs, and what only its surroundings can compute. */
export interface Surroundings {
  readonly machine: ExperimentRecord["machine"];
  /** SHA-256 of the JSON of `network.build(1)`, hexadecimal: two networks of the same name may differ. */
  readonly graph: string;
}

export interface ExperimentOptions {
  /** The study, or as much of one as the library's own objects leave to say. */
  readonly study: Omit<Planned, "optimizers"> &
    Pick<StudySpec, "kind" | "seeds"> & {
      readonly data?: Partial<StudySpec["data"]>;
      readonly protocol?: string | undefined;
    };
  readonly setup: TrainingSetup;
  readonly arms: readonly ArmRecord[];
  /** The study as data, so that it can be resumed. */
  readonly specification?: StudySpec;
}

/**
 * The record of an experiment that is about to run.
 * @throws ArgumentError, ShapeError for what no training step can be made of: a batch larger than the
 *   training split, one value a channel for batch norm, a network that does not fit the images
 */
export function experimentRecord(
  options: ExperimentOptions,
  { machine, graph }: Surroundings,
): ExperimentRecord {
  const { study, setup, arms } = options;
  const { kind, epochs, seeds, data } = study;
  const { backend } = setup;
  const { dataset, network } = wholeOf(setup);
  checkFits(setup);
  checkUnfreezing(setup, epochs);
  const { batch, lastBatch, updatesPerEpoch } = planEpoch(setup);
  updatesOfRun(kind, epochs, updatesPerEpoch);
  for (const size of lastBatch > 0 ? [batch, lastBatch] : [batch])
    trainingGraph(
      network,
      size,
      { labelSmoothing: setup.labelSmoothing ?? 0 },
      whollyUnfrozen(setup),
    );
  const parameters = network
    .build(1)
    .tensors.filter((tensor) => tensor.role === "parameter")
    .reduce((sum, tensor) => sum + elementCount(tensor.shape), 0);
  return {
    formatVersion: 1,
    kind,
    created: new Date().toISOString(),
    lrscope: VERSION,
    engine: backend.description,
    machine,
    dataset: dataset.record,
    model: {
      name: network.name,
      parameters,
      graph,
      ...(setup.pretrained ? { pretrained: pretrainedRecord(setup.pretrained) } : {}),
    },
    protocol: protocolOf(
      {
        epochs,
        seeds: [...seeds],
        updatesPerEpoch,
        augment: dataset.augmentation,
        validation: data?.validation ?? null,
        splitSeed: data?.splitSeed ?? 0,
        threads: setup.threads ?? backend.threads,
        momentum: study.momentum ?? 0,
        weightDecay: study.weightDecay ?? 0,
      },
      setup,
      { ...study, test: data?.test, cacheFeatures: setup.features?.views },
    ),
    arms: recordedArms(arms),
    ...(setup.features ? { features: costOf(setup.features) } : {}),
    ...(options.specification ? { specification: options.specification } : {}),
  };
}

/** The arms as a record has them, settings included. */
export const recordedArms = (arms: readonly ArmRecord[]): ArmRecord[] =>
  arms.map((arm) => ({ ...arm }));

const costOf = ({ views, threads, bytes, seconds }: Features) => ({
  views,
  threads,
  bytes,
  seconds,
});

const pretrainedRecord = ({ source, sha256, lastLayer, state }: PretrainedWeights) => ({
  source,
  sha256,
  ...(lastLayer === undefined ? {} : { lastLayer }),
  ...(state === undefined ? {} : { state }),
});
