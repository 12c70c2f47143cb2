/** @file experiment.json: everything that a reader needs to judge or repeat a run. */

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { trainingGraph } from "../compile/graph/passes.ts";
import { elementCount } from "../core/shapes.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import type { Network } from "../ir/index.ts";
import {
  type ArmRecord,
  type ExperimentRecord,
  type Planned,
  protocolOf,
  type StudySpec,
} from "../record/index.ts";
import { checkFits, planEpoch } from "../train/compile-options.ts";
import { type Features, wholeOf } from "../train/freezing/frozen-features.ts";
import { checkUnfreezing, whollyUnfrozen } from "../train/freezing/unfreeze.ts";
import type { TrainingSetup } from "../train/options.ts";
import { updatesOfRun } from "../train/run-length.ts";

/** This package's version. */
export const lrscopeVersion: string = createRequire(import.meta.url)("../../package.json").version;

export interface ExperimentOptions {
  /** The study, or as much of one as the library's own objects leave to say. */
  readonly study: Omit<Planned, "optimizers"> &
    Pick<StudySpec, "kind" | "seeds"> & { readonly data?: Partial<StudySpec["data"]> };
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
export function describeExperiment(options: ExperimentOptions): ExperimentRecord {
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
    lrscope: lrscopeVersion,
    engine: backend.description,
    machine: describeMachine(),
    dataset: dataset.record,
    model: {
      name: network.name,
      parameters,
      graph: graphFingerprint(network),
      ...(setup.pretrained
        ? { pretrained: { source: setup.pretrained.source, sha256: setup.pretrained.sha256 } }
        : {}),
    },
    protocol: protocolOf(
      {
        epochs,
        seeds: [...seeds],
        updatesPerEpoch,
        augment: dataset.augmentation,
        validation: data?.validation ?? null,
        splitSeed: data?.splitSeed ?? 0,
        threads: setup.threads ?? defaultThreads(),
        momentum: study.momentum ?? 0,
        weightDecay: study.weightDecay ?? 0,
      },
      setup,
      { ...study, test: data?.test, cacheFeatures: setup.features?.views },
    ),
    arms: arms.map(({ name, slug, optimizer, schedule, learningRate, sensitivity }) => ({
      name,
      slug,
      optimizer,
      schedule,
      learningRate,
      ...(sensitivity ? { sensitivity } : {}),
    })),
    ...(setup.features ? { features: costOf(setup.features) } : {}),
    ...(options.specification ? { specification: options.specification } : {}),
  };
}

const costOf = ({ views, threads, bytes, seconds }: Features) => ({
  views,
  threads,
  bytes,
  seconds,
});

/** SHA-256 of the network's graph: two of the same name may differ. */
const graphFingerprint = (network: Network): string =>
  createHash("sha256")
    .update(JSON.stringify(network.build(1)))
    .digest("hex");
