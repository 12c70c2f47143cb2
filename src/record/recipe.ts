/**
 * @file How one network is trained: every option of training, stated once. From the table follow the flags
 * of the command line, the schema of what is written, the record of the protocol, the check of a resumption,
 * and what is handed to the compiler. Loads no schema library, as help texts are made from it.
 *
 * Long because it is one entry an option, beside the type that documents it.
 */

import type { ParameterGroup } from "../compile/encode/parameter-groups.ts";
import type { Precision } from "../compile/graph/precision.ts";
import { ArgumentError } from "../core/errors.ts";
import { MOST_IMAGES } from "../core/limits.ts";
import type { WeightAverage } from "./trial.ts";

/** A module from which training begins, from an epoch on; epochs count from 1. */
export interface Unfreezing {
  /** As `trainFrom`: a module that comes earlier in the network, or "all". */
  readonly from: string;
  readonly epoch: number;
}

/** How one network is trained. What has no default is off, or follows from the rest, where it is absent. */
export interface Recipe {
  /** Images of a batch, and of an update unless it accumulates several; default 64. */
  readonly batch: number;
  /**
   * Batches that an update takes its gradient from, which is the mean over their examples; default 1.
   * Batch normalisation sees each batch by itself.
   */
  readonly accumulate: number;
  /** Leave the last, smaller update of an epoch out; default false: it is made. */
  readonly dropLast: boolean;
  /** As of CompileOptions: "bf16" where the backend has it. Default "fp32". */
  readonly precision: Precision;
  /** Greatest norm of the whole gradient; default none. */
  readonly clip?: number;
  /** 0 <= labelSmoothing < 1; default 0. */
  readonly labelSmoothing: number;
  /**
   * Which parameters are trained: "all" (the default), those from a module on ("layer4"), or "head", the
   * layer that makes the logits. The others change by no bit.
   */
  readonly trainFrom?: string;
  /**
   * Epochs from which on training begins earlier in the network than at `trainFrom`. Optimizer state of
   * what is added begins there, and that of the rest is kept. Range tests train from `trainFrom`. Default:
   * none.
   */
  readonly unfreeze?: readonly Unfreezing[];
  /** Frozen batch norms keep their statistics ("evaluate", the default), or let them move ("train"). */
  readonly frozenBatchNorm?: "evaluate" | "train";
  /** Largest magnitude of each element of the gradient, after `clip`; default none. */
  readonly clipValue?: number;
  /** Parameters, by the beginnings of their names, with a rate or decay of their own; default none. */
  readonly parameterGroups?: readonly ParameterGroup[];
  /** false: biases and the gammas and betas of norms do not decay; default true. */
  readonly decayBiasesAndNorms: boolean;
  /** An average of the weights to keep and to validate beside them; default none. */
  readonly average?: WeightAverage;
  /** Validate the mean of the probabilities at the ends of the schedule's cycles; default false. */
  readonly snapshots: boolean;
  /**
   * One a class, as PyTorch's cross_entropy weighs them, or "balanced": n / (K n_c) for n training images of
   * K classes, n_c of class c. Of the training loss only; default none.
   */
  readonly classWeights?: readonly number[] | "balanced";
}

/** What a value may be: schemas and the readers of flags are made by it. Words: one of them. */
export type ValueKind =
  | "count"
  | "positive"
  | "below one"
  | "switch"
  | "text"
  | "scales"
  | "unfreezings"
  | "parameter groups"
  | "average"
  | "class weights"
  | readonly string[];

/** How a flag is written and explained; a switch takes no value. */
export interface RecipeFlag {
  readonly value: ValueKind;
  readonly help: string;
  readonly placeholder?: string;
  /** A value that works, for refusals. */
  readonly example?: string;
  /** Greatest value of a count. */
  readonly most?: number;
  /** What happens without it, where that is not the default's own text. */
  readonly shown?: string;
}

interface OptionOfTable extends Omit<RecipeFlag, "value" | "help"> {
  readonly value: ValueKind;
  /** undefined: it is off, or follows from the rest. */
  readonly fallback?: unknown;
  /** Whether a range test takes it too. */
  readonly of: "every study" | "training";
  /** Whether the compiled step depends on it: handed to the compiler under the same name. */
  readonly compiled: boolean;
  /** Whether a protocol's record has it always, or where it is not the default. */
  readonly recorded: "always" | "where given";
  /** What is recorded, where that is not the value itself; undefined: nothing. */
  readonly record?: (recipe: Partial<Recipe>) => unknown;
  readonly help?: string;
}

/** How an option is read from flags, and written as them, where they are not one of its own name and kind. */
interface OwnFlags {
  readonly flags: Readonly<Record<string, RecipeFlag>>;
  /** From those flags to the value. @param command in front of a message */
  readonly read: (flags: Readonly<Record<string, never>>, command: string) => unknown;
  /** And back: the flags that the value is read from. */
  readonly write: (value: never) => Readonly<Record<string, unknown>>;
}

export type RecipeOption = OptionOfTable &
  (OwnFlags | { readonly [K in keyof OwnFlags]?: undefined });

/** Of --average ema, where --average-decay is not given. */
const DEFAULT_DECAY = 0.999;

type Scales = readonly { readonly name: string; readonly scale: number }[];

const isFrozen = ({ trainFrom = "all" }: Partial<Recipe>): boolean => trainFrom !== "all";

/** One entry an option, in the order in which flags and records have them. */
export const RECIPE_OPTIONS = {
  batch: {
    ...{ value: "count", most: MOST_IMAGES, fallback: 64 },
    ...{ of: "every study", compiled: false, recorded: "always" },
    ...{ placeholder: "n", example: "64", help: "images of a batch" },
  },
  accumulate: {
    ...{ value: "count", fallback: 1 },
    ...{ of: "every study", compiled: false, recorded: "always" },
    ...{ placeholder: "n", example: "4" },
    help: "batches an update: the gradient is the mean over their images",
  },
  dropLast: {
    ...{ value: "switch", fallback: false },
    ...{ of: "every study", compiled: false, recorded: "always" },
    help: "leave out the last, smaller update of each epoch",
  },
  precision: {
    ...{ value: ["fp32", "bf16"], fallback: "fp32" },
    ...{ of: "every study", compiled: true, recorded: "always" },
    placeholder: "kind",
    help: "arithmetic: fp32, or bf16 where the processor has it (AVX512-BF16 or AMX)",
  },
  clip: {
    ...{ value: "positive", of: "every study", compiled: true, recorded: "always" },
    ...{ placeholder: "norm", example: "1", shown: "no clipping" },
    help: "greatest norm of the whole gradient",
  },
  labelSmoothing: {
    ...{ value: "below one", fallback: 0 },
    ...{ of: "every study", compiled: true, recorded: "always" },
    ...{ placeholder: "s", example: "0.1", help: "probability spread over the other classes" },
  },
  trainFrom: {
    ...{ value: "text", of: "every study", compiled: false, recorded: "where given" },
    record: (recipe) => (isFrozen(recipe) ? recipe.trainFrom : undefined),
    placeholder: "module",
    help: "train from this module on (layer4), the last layer (head), or all; freeze what comes before",
    shown: "all; with --pretrained: the last stage of a known network, else head",
  },
  unfreeze: {
    ...{ value: "unfreezings", of: "training", compiled: false, recorded: "where given" },
    /** "layer3@5": from epoch 5 on, training is from layer3. */
    record: ({ unfreeze = [], ...recipe }) =>
      isFrozen(recipe) && unfreeze.length > 0
        ? unfreeze.map(({ from, epoch }) => `${from}@${epoch}`)
        : undefined,
    placeholder: "list",
    help: "train from earlier modules from some epochs on: layer3@5,layer2@10 (epochs count from 1)",
    shown: "train from --train-from throughout",
  },
  frozenBatchNorm: {
    ...{ value: ["evaluate", "train"], of: "every study", compiled: true, recorded: "where given" },
    record: (recipe) => (isFrozen(recipe) ? (recipe.frozenBatchNorm ?? "evaluate") : undefined),
    ...{ placeholder: "mode", shown: "evaluate" },
    help: "evaluate (frozen batch norms keep their statistics) or train (their statistics move)",
  },
  clipValue: {
    ...{ value: "positive", of: "every study", compiled: true, recorded: "where given" },
    ...{ placeholder: "x", example: "0.5", shown: "no clipping" },
    help: "greatest magnitude of each element of the gradient",
  },
  parameterGroups: {
    ...{ value: "parameter groups", of: "every study", compiled: false, recorded: "where given" },
    flags: {
      lrScale: {
        ...{ value: "scales", placeholder: "name=x", shown: "1" },
        help: "parameters, by the beginnings of their names, at a fraction of the rate",
        example: "features=0.1,classifier=1",
      },
      decayScale: {
        ...{ value: "scales", placeholder: "name=x", example: "classifier=0", shown: "1" },
        help: "the same for weight decay",
      },
    },
    read: groupsOf,
    write: scalesOf,
  },
  decayBiasesAndNorms: {
    ...{ value: "switch", fallback: true },
    ...{ of: "every study", compiled: true, recorded: "where given" },
    flags: {
      decayOnBias: {
        ...{ value: "switch", help: "biases and the gammas and betas of norms do not decay" },
      },
    },
    read: ({ decayOnBias }) => decayOnBias,
    write: (decayOnBias: boolean) => ({ decayOnBias }),
  },
  average: {
    ...{ value: "average", of: "training", compiled: false, recorded: "where given" },
    flags: {
      average: {
        ...{ value: ["ema", "swa"], placeholder: "kind", shown: "none" },
        help: "keep an average of the weights, and validate it too: ema (exponential) or swa (at the ends of cycles)",
      },
      averageDecay: {
        ...{ value: "below one", placeholder: "d", example: "0.99", shown: String(DEFAULT_DECAY) },
        help: "of --average ema",
      },
    },
    read: averageOf,
    write: ({ kind, ...rest }: WeightAverage) => ({
      average: kind,
      ...("decay" in rest && rest.decay !== DEFAULT_DECAY ? { averageDecay: rest.decay } : {}),
    }),
  },
  snapshots: {
    ...{ value: "switch", fallback: false },
    ...{ of: "training", compiled: false, recorded: "where given" },
    help: "at the end of each cycle, validate the mean of the snapshots' probabilities",
  },
  classWeights: {
    ...{ value: "class weights", of: "training", compiled: false, recorded: "where given" },
    flags: {
      classWeights: {
        ...{ value: ["balanced"], placeholder: "kind", shown: "each image weighs the same" },
        help: "balanced: each class weighs the same in the training loss",
      },
    },
    read: ({ classWeights }) => classWeights,
    write: (classWeights: Recipe["classWeights"]) => ({ classWeights }),
  },
} as const satisfies Record<keyof Recipe, RecipeOption>;

export type RecipeName = keyof typeof RECIPE_OPTIONS;

export const recipeOptions = Object.entries(RECIPE_OPTIONS) as unknown as readonly (readonly [
  RecipeName,
  RecipeOption,
])[];

/** Both scales of a name make one group. */
function groupsOf({ lrScale = [], decayScale = [] }: { lrScale?: Scales; decayScale?: Scales }) {
  const names = [...new Set([...lrScale, ...decayScale].map(({ name }) => name))];
  const scaleOf = (list: Scales, name: string) => list.find((entry) => entry.name === name)?.scale;
  const groups = names.map((prefix) => {
    const [rate, decay] = [scaleOf(lrScale, prefix), scaleOf(decayScale, prefix)];
    return {
      prefix,
      ...(rate === undefined ? {} : { learningRateScale: rate }),
      ...(decay === undefined ? {} : { weightDecayScale: decay }),
    };
  });
  return groups.length > 0 ? groups : undefined;
}

/** The flags of both scales; what no group scales is no flag. */
function scalesOf(groups: readonly ParameterGroup[]) {
  const lrScale = groups.flatMap(({ prefix: name, learningRateScale, weightDecayScale }) => {
    // A group without scales still keeps its parameters out of a group of a shorter name.
    const scale = learningRateScale ?? (weightDecayScale === undefined ? 1 : undefined);
    return scale === undefined ? [] : [{ name, scale }];
  });
  const decayScale = groups.flatMap(({ prefix: name, weightDecayScale: scale }) =>
    scale === undefined ? [] : [{ name, scale }],
  );
  return {
    ...(lrScale.length > 0 ? { lrScale } : {}),
    ...(decayScale.length > 0 ? { decayScale } : {}),
  };
}

/** @throws ArgumentError for --average-decay without --average ema */
function averageOf(
  { average, averageDecay }: { average?: "ema" | "swa"; averageDecay?: number },
  command: string,
): WeightAverage | undefined {
  if (averageDecay !== undefined && average !== "ema")
    throw new ArgumentError(
      `${command}: --average-decay has no effect without --average ema; give both, or leave it out`,
    );
  if (average === undefined) return undefined;
  return average === "ema"
    ? { kind: average, decay: averageDecay ?? DEFAULT_DECAY }
    : { kind: average };
}

/** Flags, by name, as the command line reads them. @throws ArgumentError where they do not go together */
export function recipeOfFlags(flags: Readonly<Record<string, unknown>>, command: string): Recipe {
  return resolveRecipe(
    Object.fromEntries(
      recipeOptions.map(([name, { read }]) => [
        name,
        read ? read(flags as Readonly<Record<string, never>>, command) : flags[name],
      ]),
    ),
  );
}

/** The flags that a recipe is read from, by name: those of options that are not at their defaults. */
export function flagsOfRecipe(recipe: Partial<Recipe>): Readonly<Record<string, unknown>> {
  return Object.assign(
    {},
    ...recipeOptions.map(([name, { fallback, write }]) => {
      const value = recipe[name];
      if (value === undefined || value === fallback) return {};
      return write ? write(value as never) : { [name]: value };
    }),
  );
}

/** Every option, with its default where it is not given; what is off is absent. The one place that does so. */
export function resolveRecipe(given: Partial<Record<RecipeName, unknown>>): Recipe {
  const resolved = recipeOptions
    .map(([name, { fallback }]) => [name, given[name] ?? fallback])
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(resolved) as unknown as Recipe;
}

type CompiledName = {
  [K in RecipeName]: (typeof RECIPE_OPTIONS)[K]["compiled"] extends true ? K : never;
}[RecipeName];

/** What the compiler is handed of a recipe, under the same names. */
export function compiledPart(given: Partial<Recipe>): Pick<Recipe, CompiledName> {
  const recipe = resolveRecipe(given);
  return Object.fromEntries(
    Object.entries(recipe).filter(([name]) => RECIPE_OPTIONS[name as RecipeName].compiled),
  ) as unknown as Pick<Recipe, CompiledName>;
}

/** What a protocol's record says of a recipe. */
export function recordedPart(given: Partial<Recipe>): Partial<Record<RecipeName, unknown>> {
  const recipe = resolveRecipe(given);
  return Object.fromEntries(
    recipeOptions.flatMap(([name, { fallback, recorded, record }]) => {
      const value = record ? record(recipe) : recipe[name];
      if (recorded === "always") return [[name, value ?? null]];
      return value === undefined || value === fallback ? [] : [[name, value]];
    }),
  );
}
