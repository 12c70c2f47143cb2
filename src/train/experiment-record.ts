/** @file experiment.json: everything that a reader needs to judge or repeat a run. */

import { trainingGraph } from "../compile/graph/passes.ts";
import { elementCount } from "../core/shapes.ts";
import { VERSION } from "../core/version.ts";
import type { ArmRecord, ExperimentRecord } from "../record/index.ts";
import { checkFits, planEpoch } from "./compile-options.ts";
import { type Features, wholeOf } from "./freezing/frozen-features.ts";
import { transferProtocol } from "./freezing/transfer.ts";
import { checkUnfreezing, whollyUnfrozen } from "./freezing/unfreeze.ts";
import type { TrainingSetup } from "./options.ts";
import { protocolOptions } from "./protocol-options.ts";
import { updatesOfRun } from "./run-length.ts";

/** What the record says of where the experiment runs, and what only its surroundings can compute. */
export interface Surroundings {
  readonly machine: ExperimentRecord["machine"];
  /** SHA-256 of the JSON of `network.build(1)`, hexadecimal: two networks of the same name may differ. */
  readonly graph: string;
}

export interface ExperimentOptions {
  readonly kind: ExperimentRecord["kind"];
  readonly setup: TrainingSetup & { momentum?: number; weightDecay?: number };
  readonly arms: readonly ArmRecord[];
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** As asked for, for the record; the data set knows what it did. */
  readonly validation?: number | null;
  readonly splitSeed?: number;
  readonly precision?: string;
  /** Options of the protocol; those that are on are recorded. */
  readonly protocol?: Omit<Parameters<typeof protocolOptions>[0], "classWeights">;
  /** The call as data, so that it can be gone on with. */
  readonly specification?: ExperimentRecord["specification"];
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
  const { kind, setup, arms, epochs, seeds } = options;
  const { backend } = setup;
  const { dataset, network } = wholeOf(setup);
  checkFits(setup);
  checkUnfreezing(setup, epochs);
  const { batch, lastBatch, accumulate, updatesPerEpoch } = planEpoch(setup);
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
      ...(setup.pretrained
        ? { pretrained: { source: setup.pretrained.source, sha256: setup.pretrained.sha256 } }
        : {}),
    },
    protocol: {
      epochs,
      batch,
      accumulate,
      seeds: [...seeds],
      updatesPerEpoch,
      augment: dataset.augmentation,
      validation: options.validation ?? null,
      splitSeed: options.splitSeed ?? 0,
      dropLast: setup.dropLast ?? false,
      precision: options.precision ?? setup.precision ?? "fp32",
      threads: setup.threads ?? backend.threads,
      momentum: setup.momentum ?? 0,
      weightDecay: setup.weightDecay ?? 0,
      clip: setup.clip ?? null,
      labelSmoothing: setup.labelSmoothing ?? 0,
      ...transferProtocol(setup),
      ...(setup.clipValue === undefined ? {} : { clipValue: setup.clipValue }),
      ...(setup.parameterGroups ? { parameterGroups: [...setup.parameterGroups] } : {}),
      ...(setup.decayBiasesAndNorms === false ? { decayBiasesAndNorms: false } : {}),
      ...(setup.average ? { average: setup.average } : {}),
      ...(setup.snapshots ? { snapshots: true } : {}),
      ...protocolOptions({ ...options.protocol, classWeights: classWeightsOf(setup) }),
    },
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

const classWeightsOf = ({ classWeights }: TrainingSetup) =>
  classWeights === undefined || classWeights === "balanced" ? classWeights : [...classWeights];

const costOf = ({ views, threads, bytes, seconds }: Features) => ({
  views,
  threads,
  bytes,
  seconds,
});
