/** @file The schema of a recipe, and of what a protocol's record has of one: both made from the table of options. */

import { z } from "zod";
import {
  RECIPE_OPTIONS,
  type Recipe,
  type RecipeName,
  recipeOptions,
  type ValueKind,
} from "./recipe.ts";
import { weightAverage } from "./trial.ts";

const count = z.number().int().positive();
const scale = z.number().nonnegative().optional();

/** "layer3" from epoch 5 on. */
export const unfreezings = z.array(z.object({ from: z.string(), epoch: count }));

export const frozenBatchNorm = z.enum(RECIPE_OPTIONS.frozenBatchNorm.value);

const KINDS: Readonly<Record<Exclude<ValueKind, readonly string[]>, z.ZodType>> = {
  count,
  positive: z.number().positive(),
  "below one": z.number().min(0).lt(1),
  switch: z.boolean(),
  text: z.string(),
  scales: z.array(z.object({ name: z.string(), scale: z.number().nonnegative() })),
  unfreezings,
  "parameter groups": z.array(
    z.object({ prefix: z.string(), learningRateScale: scale, weightDecayScale: scale }),
  ),
  average: weightAverage,
  "class weights": z.union([z.literal("balanced"), z.array(z.number())]),
};

const schemaOf = (kind: ValueKind): z.ZodType =>
  typeof kind === "string" ? KINDS[kind] : z.enum(kind as readonly [string, ...string[]]);

/** A whole recipe: what a later version adds to it is an error here, as its bits would be others. */
export const recipeRecord = z.strictObject(
  Object.fromEntries(
    recipeOptions.map(([name, { value, fallback }]) => [
      name,
      fallback === undefined ? schemaOf(value).optional() : schemaOf(value).default(fallback),
    ]),
  ),
) as unknown as z.ZodType<Recipe>;

/** Absent in records of lrscope 0.1. */
const LATER = ["accumulate"] as const;

type Always<K extends RecipeName> = K extends (typeof LATER)[number]
  ? false
  : (typeof RECIPE_OPTIONS)[K]["recorded"] extends "always"
    ? true
    : false;
type Recorded<K extends RecipeName> = K extends "unfreeze" ? readonly string[] : Recipe[K];

/** By name: required where a protocol's record always has it (null: off), else optional. */
export type RecordedRecipe = {
  [K in RecipeName as Always<K> extends true ? K : never]: z.ZodType<
    undefined extends Recipe[K] ? NonNullable<Recipe[K]> | null : Recipe[K]
  >;
} & {
  [K in RecipeName as Always<K> extends true ? never : K]: z.ZodOptional<
    z.ZodType<NonNullable<Recorded<K>>>
  >;
};

/** Of an option that is recorded as something else than its value. */
const RECORDED_AS: Partial<Record<RecipeName, z.ZodType>> = { unfreeze: z.array(z.string()) };

export const recordedRecipe = Object.fromEntries(
  recipeOptions.map(([name, { value, fallback, recorded }]) => {
    const schema = RECORDED_AS[name] ?? schemaOf(value);
    if (recorded === "where given" || LATER.some((later) => later === name))
      return [name, schema.optional()];
    return [name, fallback === undefined ? schema.nullable() : schema];
  }),
) as unknown as RecordedRecipe;
