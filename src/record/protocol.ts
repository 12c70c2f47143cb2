/** @file The protocol of an experiment as its records have it: the recipe, and what all its trials share. */

import { z } from "zod";
import { type Recipe, recordedPart } from "./recipe.ts";
import { recordedRecipe } from "./recipe-schema.ts";
import { type Planned, pruningRecord, STUDY_DEFAULTS } from "./study-spec.ts";

/** What the records say beside the recipe, always. */
const shared = {
  epochs: z.number(),
  seeds: z.array(z.number().int()),
  updatesPerEpoch: z.number().int(),
  augment: z.string(),
  validation: z.number().nullable(),
  splitSeed: z.number().int(),
  threads: z.number().int(),
  momentum: z.number(),
  weightDecay: z.number(),
};

/** Options of a study, absent where they are off: a report names those that are there. */
const options = {
  /** The published study whose protocol this one follows, by its folder below studies/. */
  protocol: z.string().optional(),
  /** Arms without a rate of their own have a range test's suggestion, not their optimizer's default. */
  learningRates: z.enum(["defaults", "range-test"]).optional(),
  /** Of each range test. */
  finderSeeds: z.number().int().optional(),
  /** How the rate of range tests rises, and whose reading is taken; absent: exponential, minimum/10. */
  ramp: z.enum(["exponential", "linear"]).optional(),
  rule: z.string().optional(),
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
  /** Arms are judged at rungs, and end there where they are behind. */
  pruning: pruningRecord.optional(),
  /** Fraction of each class kept for the test at the end of a trial. */
  test: z.number().optional(),
  /** Augmented views of each image in the feature cache. */
  cacheFeatures: z.number().int().optional(),
};

const { batch, accumulate, dropLast, precision, clip, labelSmoothing, ...rest } = recordedRecipe;
const { epochs, seeds, updatesPerEpoch, augment, validation, splitSeed, ...cores } = shared;

/** In the order in which lrscope 0.1 wrote them, as summaries repeat it. */
export const protocolRecord = z.object({
  ...{ epochs, batch, accumulate, seeds, updatesPerEpoch, augment, validation, splitSeed },
  ...{ dropLast, precision, ...cores, clip, labelSmoothing },
  ...rest,
  ...options,
});
export type ProtocolRecord = z.infer<typeof protocolRecord>;

const FIELDS = Object.keys(protocolRecord.shape) as (keyof ProtocolRecord)[];
const OPTIONS = Object.keys(options) as (keyof typeof options)[];

/**
 * The record of a protocol: `facts` as they are, of a recipe what records have of it, of a study's options
 * those that are on.
 */
export function protocolOf(
  facts: Pick<ProtocolRecord, keyof typeof shared>,
  recipe: Partial<Recipe>,
  study: Partial<Planned> & {
    readonly test?: number | undefined;
    readonly cacheFeatures?: number | undefined;
    readonly protocol?: string | undefined;
  },
): ProtocolRecord {
  const defaults: Readonly<Record<string, unknown>> = STUDY_DEFAULTS;
  const on = OPTIONS.filter((name) => study[name] !== undefined && study[name] !== defaults[name]);
  const all: Record<string, unknown> = {
    ...facts,
    ...recordedPart(recipe),
    ...Object.fromEntries(on.map((name) => [name, study[name]])),
  };
  return Object.fromEntries(
    FIELDS.filter((name) => all[name] !== undefined).map((name) => [name, all[name]]),
  ) as ProtocolRecord;
}
