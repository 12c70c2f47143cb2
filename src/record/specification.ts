/**
 * @file The call that began an experiment as lrscope 0.1 recorded it, flag by flag, and the study that it
 * asked for. What is known here has to have its form; later versions write the study itself.
 */

import { z } from "zod";
import { StoreError } from "../core/errors.ts";
import { parseSchedule } from "../schedules/text/parse-schedule.ts";
import { recipeOfFlags } from "./recipe.ts";
import type { StudySpec } from "./study-spec.ts";
import { studySpec } from "./study-spec.ts";

const positive = z.number().positive();
const natural = z.number().int().nonnegative();
const count = z.number().int().positive();
const share = z.number().min(0).max(1);

/** 216 updates, or 4 epochs. */
const span = z.object({ count: positive, unit: z.enum(["updates", "epochs"]) });

/** Parameters by the beginnings of their names. */
const scales = z.array(z.object({ name: z.string(), scale: z.number().nonnegative() }));

/** What training is told, by the names of the command line's flags; absent: not given. */
const specifiedFlags = z.looseObject({
  size: count.optional(),
  limit: count.optional(),
  validation: share,
  splitSeed: natural,
  test: share.optional(),
  batch: count,
  precision: z.enum(["fp32", "bf16"]),
  seed: natural.max(0xffff_ffff),
  augment: z.enum(["default", "none"]),
  // Below: some are absent in records of lrscope 0.1, where there was no such flag yet.
  accumulate: count.default(1),
  dropLast: z.boolean().default(false),
  labelSmoothing: share.default(0),
  momentum: share.optional(),
  weightDecay: z.number().nonnegative().optional(),
  clip: positive.optional(),
  clipValue: positive.optional(),
  lrScale: scales.optional(),
  decayScale: scales.optional(),
  decayOnBias: z.boolean().default(true),
  tune: z.boolean().default(false),
  memory: count.optional(),
  trainFrom: z.string().optional(),
  unfreeze: z.array(z.object({ from: z.string(), epoch: count })).optional(),
  frozenBatchNorm: z.enum(["evaluate", "train"]).optional(),
  cacheFeatures: count.optional(),
  classWeights: z.enum(["balanced"]).optional(),
  average: z.enum(["ema", "swa"]).optional(),
  averageDecay: share.optional(),
  snapshots: z.boolean().optional(),
  snapCycles: z.boolean().optional(),
  momentumSchedule: z.string().optional(),
  samples: z.boolean().default(true),
  png: z.boolean().default(false),
});

/** Which numbers the results are asked for beside the usual. */
const specifiedAnswers = z.looseObject({
  targets: z.array(share).optional(),
  profile: z.boolean().optional(),
  tensorboard: z.boolean().optional(),
});

export const specificationRecord = z.looseObject({
  /** Absent in records of lrscope 0.1. */
  formatVersion: z.literal(1).optional(),
  /** Trials at a time; absent in older records: 1. */
  jobs: count.optional(),
  /** `NAME[+SCHEDULE][@RATE]` each. */
  optimizers: z.array(z.string()).min(1),
  /** How many; the first is `flags.seed`. */
  seeds: count,
  epochs: count,
  budget: z
    .looseObject({
      time: positive.optional(),
      targetAccuracy: share.optional(),
      evalEvery: count.optional(),
      earlyStopping: count.optional(),
      prune: count.optional(),
    })
    .optional(),
  learningRates: z.enum(["defaults", "range-test"]).optional(),
  finderSeeds: count.optional(),
  sensitivity: count.optional(),
  rangeTestEpochs: count.optional(),
  rampKind: z.enum(["exponential", "linear"]).optional(),
  rule: z.enum(["minimum/10", "steepest", "valley", "slide", "elbow"]).optional(),
  answers: specifiedAnswers.optional(),
  /** A source's name; null: a folder. */
  source: z.string().nullable(),
  /** A name of the collection; null: a file. */
  model: z.string().nullable(),
  /** The file's own name, for people. */
  modelFile: z.string().optional(),
  modelOptions: z
    .object({ widths: z.array(count).optional(), hidden: count.optional() })
    .optional(),
  /** Published weights by name; null: a file of them; absent: none. */
  pretrained: z.string().nullable().optional(),
  cycle: z.object({ maxLr: positive.optional(), baseLr: positive.optional(), stepSize: span }),
  /** Absent: the range test's own; `to` absent: by each optimizer. */
  ramp: z.object({ from: positive, to: positive.optional() }).optional(),
  flags: specifiedFlags,
});
export type SpecificationRecord = z.infer<typeof specificationRecord>;

/**
 * The study that such a call asked for.
 * @param of the rest of its record: kind, seeds, and the cores of each trial
 * @throws StoreError where the call is not the one that the rest of the record speaks of, or no study
 */
export function studyOfSpecification(
  { flags, cycle, budget, answers, ramp, rampKind, ...call }: SpecificationRecord,
  of: { readonly kind: string; readonly seeds: readonly number[]; readonly threads: number },
): StudySpec {
  // Before anything is made by it: a file that was edited may ask for a million seeds.
  if (call.seeds !== of.seeds.length)
    throw new StoreError(
      `specification.seeds does not agree with the rest of the record: it comes to ${call.seeds}, where ${of.seeds.length} was recorded; bring back the file as it was written, or begin anew`,
      { exitCode: 2 },
    );
  // Beside cycles, 0.1 let a momentum that was given follow the rate all the same.
  const { momentum, momentumSchedule = momentum === undefined ? undefined : "inverse" } = flags;
  return studySpec.parse({
    ...call,
    ...budget,
    ...cycle,
    ...ramp,
    ...(rampKind ? { ramp: rampKind } : {}),
    formatVersion: 2,
    // As it then was: two epochs unless that is said, read as published, whatever the curves were worth.
    rangeTestEpochs: call.rangeTestEpochs ?? 2,
    ...{ reading: "published", force: true },
    kind: of.kind,
    seeds: Array.from({ length: call.seeds }, (_, index) => flags.seed + index),
    momentum,
    weightDecay: flags.weightDecay,
    snapCycles: flags.snapCycles,
    momentumSchedule:
      momentumSchedule === undefined || ["none", "inverse"].includes(momentumSchedule)
        ? momentumSchedule
        : parseSchedule(momentumSchedule).toJSON(),
    data: {
      size: flags.size,
      limit: flags.limit,
      validation: flags.validation,
      test: flags.test,
      splitSeed: flags.splitSeed,
      augment: flags.augment,
    },
    cacheFeatures: flags.cacheFeatures,
    recipe: recipeOfFlags(flags, of.kind),
    tune: flags.tune,
    memory: flags.memory,
    answers: { ...answers, samples: flags.samples, png: flags.png },
    threads: of.threads,
  }) as StudySpec;
}
