/** @file experiment.json: what was run, on what, with which versions. Never a path of the machine. */

import { z } from "zod";
import { fileName } from "./file-name.ts";
import { specificationRecord } from "./specification.ts";
import { weightAverage } from "./trial.ts";

export const FORMAT_VERSION = 1;

export const datasetRecord = z.object({
  /** Folder's own name or the source's name; never a path. */
  name: z.string(),
  /** SHA-256 over the files' names, sizes and contents, and the decoding settings. */
  fingerprint: z.string(),
  images: z.number().int(),
  channels: z.number().int(),
  /** Working size in pixels, images are square. */
  size: z.number().int(),
  classes: z.array(
    z.object({
      name: z.string(),
      count: z.number().int(),
      train: z.number().int(),
      validation: z.number().int(),
      /** Absent without a test part. */
      test: z.number().int().optional(),
    }),
  ),
  /** Per channel, of pixel / 255, over the training split. */
  mean: z.array(z.number()),
  std: z.array(z.number()),
  /** File names relative to the source. */
  broken: z.array(z.object({ file: z.string(), reason: z.string() })),
});
export type DatasetRecord = z.infer<typeof datasetRecord>;

export const armRecord = z.object({
  /** As the user wrote it: "sgd+clr", "rmsprop@1e-3". */
  name: z.string(),
  /** Safe as a file name, unique within the experiment. */
  slug: fileName,
  optimizer: z.string(),
  schedule: z.string().nullable(),
  learningRate: z.number().nullable(),
  /** One point of a sensitivity analysis: the arm it belongs to, and the factor on its rate. */
  sensitivity: z.object({ of: z.string(), factor: z.number() }).optional(),
});
export type ArmRecord = z.infer<typeof armRecord>;

export const machineRecord = z.object({
  processor: z.string(),
  cores: z.number().int(),
  memoryGiB: z.number(),
  platform: z.string(),
  node: z.string(),
});

export const protocolRecord = z.object({
  epochs: z.number(),
  batch: z.number().int(),
  /** Batches an update; absent in records of lrscope 0.1: 1. */
  accumulate: z.number().int().optional(),
  seeds: z.array(z.number().int()),
  updatesPerEpoch: z.number().int(),
  augment: z.string(),
  validation: z.number().nullable(),
  splitSeed: z.number().int(),
  dropLast: z.boolean(),
  precision: z.string(),
  threads: z.number().int(),
  momentum: z.number(),
  weightDecay: z.number(),
  clip: z.number().nullable(),
  labelSmoothing: z.number(),
  /** Of transfer learning; absent where every parameter is trained. See decision 0024. */
  trainFrom: z.string().optional(),
  /** "layer3@5": from epoch 5 on, training is from layer3. */
  unfreeze: z.array(z.string()).optional(),
  frozenBatchNorm: z.string().optional(),
  /** Below, present where given. Largest magnitude of an element of the gradient. */
  clipValue: z.number().optional(),
  /** Parameters, by the beginnings of their names, with a rate or decay of their own. */
  parameterGroups: z
    .array(
      z.object({
        prefix: z.string(),
        learningRateScale: z.number().optional(),
        weightDecayScale: z.number().optional(),
      }),
    )
    .optional(),
  /** false: biases and the gammas and betas of norms do not decay. */
  decayBiasesAndNorms: z.boolean().optional(),
  average: weightAverage.optional(),
  snapshots: z.boolean().optional(),
  // Options, absent where they are off: a report names those that are there.
  /** The published study whose protocol this one follows, by its folder below studies/. */
  protocol: z.string().optional(),
  /** Arms without a rate of their own have a range test's suggestion, not their optimizer's default. */
  learningRates: z.enum(["defaults", "range-test"]).optional(),
  /** Of each range test. */
  finderSeeds: z.number().int().optional(),
  /** How the rate of range tests rises, and whose reading is taken; absent: exponential, minimum/10. */
  ramp: z.enum(["exponential", "linear"]).optional(),
  rule: z.string().optional(),
  /** Fraction of each class kept for the test at the end of a trial. */
  test: z.number().optional(),
  /** Multiples of its rate at which each arm is trained. */
  sensitivity: z.number().int().optional(),
  /** Seconds of training and validation a trial. */
  time: z.number().optional(),
  /** Validation accuracy at which a trial ends. */
  targetAccuracy: z.number().optional(),
  /** Epochs between two validations. */
  evalEvery: z.number().int().optional(),
  /** Validations in a row without a better accuracy, after which a trial ends. */
  earlyStopping: z.number().int().optional(),
  /** From this epoch on a trial ends that is below the median of the others of its seed. */
  prune: z.number().int().optional(),
  /** "balanced": n / (K n_c) over the training split; or one a class. */
  classWeights: z.union([z.literal("balanced"), z.array(z.number())]).optional(),
  /** Augmented views of each image in the feature cache. */
  cacheFeatures: z.number().int().optional(),
});
export type ProtocolRecord = z.infer<typeof protocolRecord>;

export const experimentRecord = z.object({
  formatVersion: z.literal(FORMAT_VERSION),
  kind: z.enum(["demo", "find", "train", "compare"]),
  created: z.string(),
  lrscope: z.string(),
  /** "oneDNN 2.6.3, avx2, 2 threads" */
  engine: z.string(),
  machine: machineRecord,
  dataset: datasetRecord,
  model: z.object({
    name: z.string(),
    parameters: z.number().int(),
    /** SHA-256 of the graph. */
    graph: z.string().optional(),
    /** Weights that training began from: the published name, or the file's own. */
    pretrained: z.object({ source: z.string(), sha256: z.string() }).optional(),
  }),
  protocol: protocolRecord,
  arms: z.array(armRecord),
  /** The feature cache's own cost, which no trial's seconds contain. */
  features: z
    .object({
      views: z.number().int(),
      /** Cores that computed it; absent in older records: as many as a trial has. */
      threads: z.number().int().optional(),
      bytes: z.number(),
      seconds: z.number(),
    })
    .optional(),
  /** The call that began it, as the command line reads it back to go on; paths are left out. */
  specification: specificationRecord.optional(),
});
export type ExperimentRecord = z.infer<typeof experimentRecord>;
