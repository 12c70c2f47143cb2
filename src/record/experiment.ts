/** @file experiment.json: what was run, on what, with which versions. Never a path of the machine. */

import { z } from "zod";
import { at } from "../core/at.ts";
import { LrscopeError } from "../core/errors.ts";
import { fileName } from "./file-name.ts";
import { lastLayer } from "./last-layer.ts";
import { protocolRecord } from "./protocol.ts";
import { specificationRecord, studyOfSpecification } from "./specification.ts";
import { type StudySpec, studySpec } from "./study-spec.ts";
import { dialectName } from "./trial.ts";

export const FORMAT_VERSION = 1;

/** Files that are the same bytes as another of the data set. */
export const copiesRecord = z.object({
  /** Files whose content another, counted before, has too. */
  files: z.number().int(),
  /** Contents that are in more than one part of the split. */
  acrossParts: z.number().int(),
  /** Contents that are in more than one class. */
  inTwoClasses: z.number().int(),
  /** The worst of them, with their first files, relative to the source. */
  groups: z.array(z.object({ files: z.array(z.string()), count: z.number().int() })),
});
export type CopiesRecord = z.infer<typeof copiesRecord>;

/** Files of which the first picture is taken, as animations and documents of several pages hold more. */
export const firstOfSeveralRecord = z.object({
  files: z.number().int(),
  /** The first of them, relative to the source. */
  names: z.array(z.string()),
});

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
  /** Absent where there are none, or nobody looked: a source that is no folder of files. */
  copies: copiesRecord.optional(),
  /** Copies that were left out, as it was asked for. */
  copiesLeftOut: z.number().int().optional(),
  /** Absent where each file holds one picture, or nobody looked. */
  firstOfSeveral: firstOfSeveralRecord.optional(),
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
  /** Of its optimizer, where the arm says them; the others are the study's, or the optimizer's own. */
  hyperparameters: z.record(z.string(), z.number()).optional(),
  /** Whose reading of the optimizer's rule; absent: the first that it has. */
  dialect: dialectName.optional(),
  /** Options of its schedule as they were written: numbers, words, or epochs as "4e". */
  scheduleSettings: z.record(z.string(), z.string()).optional(),
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

const written = z.object({
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
    pretrained: z
      .object({
        source: z.string(),
        sha256: z.string(),
        /** Absent in records of version 0.1. */
        lastLayer: lastLayer.optional(),
        /** Of the optimizer, taken for the parameters. */
        state: z.string().optional(),
      })
      .optional(),
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
  /** The study that it is; of lrscope 0.1 the call that began it, and absent in its earliest records. */
  specification: z.unknown().optional(),
});

export type ExperimentRecord = Omit<z.infer<typeof written>, "specification"> & {
  /** The study that it is, by which it is resumed; absent where the library's own objects made it. */
  readonly specification?: StudySpec;
};

/** A record of any version, with the study in the form that it has today. */
export const experimentRecord = written.transform((record, context): ExperimentRecord => {
  const { specification, ...rest } = record;
  if (specification === undefined) return rest;
  const refuse = (issue: { readonly message: string; readonly path: readonly PropertyKey[] }) => {
    context.addIssue({
      code: "custom",
      message: issue.message,
      path: ["specification", ...issue.path],
    });
    return z.NEVER;
  };
  try {
    const isStudy = studySpec.pick({ formatVersion: true }).safeParse(specification).success;
    if (isStudy) return { ...rest, specification: studySpec.parse(specification) as StudySpec };
    const { kind, protocol } = rest;
    const call = specificationRecord.parse(specification);
    return { ...rest, specification: studyOfSpecification(call, { kind, ...protocol }) };
  } catch (error) {
    if (error instanceof z.ZodError) return refuse(at(error.issues, 0, "issues"));
    if (error instanceof LrscopeError) return refuse({ message: error.message, path: [] });
    throw error;
  }
});
