/**
 * @file The command line that asks for a study: the inverse of the reader of its flags
 * (cli/flags/study-of-flags.ts). From the study alone, so that a report of it can say how it is run again.
 *
 * The tables below are total over the fields of a study: a field without a way back does not compile.
 * Long because each field of a study stands in one of them.
 */

import { differences } from "../core/differences.ts";
import { createOptimizer, isOwnOptimizer } from "../optimizers/index.ts";
import { type ArmRecord, STUDY_DEFAULTS, type StudySpec, studySpec } from "../record/index.ts";
import { flagsOfRecipe, RECIPE_OPTIONS, type RecipeName } from "../record/recipe.ts";
import { needsRangeTest } from "./arm-rates.ts";
import { isCyclical } from "./arm-schedules.ts";
import { armParts } from "./arm-text.ts";
import { parseArms } from "./arms.ts";
import { demoStudy } from "./demo-study.ts";
import { flagWords } from "./flag-words.ts";
import { isPartFile } from "./own-parts.ts";
import { firstLength } from "./prolonged.ts";
import { flagsOfPruning } from "./pruning.ts";
import { tasksAtOnce } from "./tasks-at-once.ts";

/** What a study names null, where it lies: as it is to stand in the command. */
export interface NamedPlaces {
  readonly source?: string | undefined;
  readonly model?: string | undefined;
  readonly pretrained?: string | undefined;
  /** Of the files that arms are made of, by their names; default: in the folder in which the command is run. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/**
 * The words of the command, `lrscope` first, and of those that follow it where a study was made longer; or why
 * there is none, as the end of a sentence.
 */
export type StudyCommand =
  | {
      readonly words: readonly string[];
      readonly followedBy?: readonly (readonly string[])[];
      readonly why?: undefined;
    }
  | { readonly words: null; readonly followedBy?: undefined; readonly why: string };

/** Stands for the folder of records, where a command needs that of the one before. */
export const RUN = "RUN";

type Kind = StudySpec["kind"];
type Flags = Readonly<Record<string, unknown>>;

/** What a study is about, as far as it decides which flags have an effect. */
interface Context {
  readonly study: StudySpec;
  readonly places: NamedPlaces;
  readonly arms: readonly ArmRecord[];
  readonly cyclical: boolean;
  readonly rangeTests: boolean;
}

/** A field of a study as flags: which commands have them, and what they are where the field is not the default. */
interface Said<T> {
  readonly of: readonly Kind[];
  /** The value that no flag gives; undefined: there is none. */
  readonly fallback?: unknown;
  /** Default: a flag of the field's own name, with the value as it is. */
  readonly flags?: (value: T, context: Context) => Flags;
  /** Whether it bears on anything; a flag that does not is refused. */
  readonly matters?: (context: Context) => boolean;
}

type Table<T> = { readonly [K in keyof Required<T>]: Said<Exclude<T[K], undefined>> };

const ALL = ["find", "train", "compare"] as const;
const TRAINING = ["train", "compare"] as const;

const cyclical = ({ cyclical }: Context) => cyclical;
const rangeTests = ({ study, rangeTests }: Context) => study.kind === "find" || rangeTests;
/** Said elsewhere: by the name of the command, or by the flag of another field. */
const elsewhere: Said<unknown> = { of: ALL, flags: () => ({}) };

/** Of a range test as published. */
const PUBLISHED_EPOCHS = 2;

const DATA: Table<StudySpec["data"]> = {
  size: { of: ALL },
  limit: { of: ALL },
  // A protocol has one of its own.
  validation: {
    of: ALL,
    flags: (validation, { study }) =>
      validation === 0.2 && study.protocol === undefined ? {} : { validation },
  },
  test: { of: TRAINING },
  splitSeed: { of: ALL, fallback: 0 },
  augment: { of: ALL, fallback: "default" },
  copies: { of: ALL, fallback: "keep" },
};

const ANSWERS: Table<StudySpec["answers"]> = {
  targets: { of: ["compare"] },
  profile: { of: ["compare"], fallback: false },
  tensorboard: { of: TRAINING, fallback: false },
  samples: { of: ALL, fallback: true },
  png: { of: ALL, fallback: false },
};

const FIELDS: Table<StudySpec> = {
  formatVersion: elsewhere,
  kind: elsewhere,
  // Within the arms that are made of them.
  files: elsewhere,
  // No command has them: see commandOfStudy.
  objects: elsewhere,
  optimizers: { of: ALL, flags: optimizerFlags },
  seeds: { of: ALL, flags: seedFlags },
  // Said by the commands that follow: see `longerThen`.
  prolonged: elsewhere,
  // Of a range test the length is said in one of two ways.
  epochs: {
    of: ALL,
    flags: (epochs, { study }) =>
      study.kind === "find" && study.rangeTestUpdates !== undefined ? {} : { epochs },
  },
  momentum: {
    of: ALL,
    matters: ({ arms }) =>
      arms.some(
        ({ optimizer }) =>
          // Of a file that is not loaded nobody knows.
          isUnknown(optimizer) || "momentum" in createOptimizer(optimizer).hyperparameters,
      ),
  },
  weightDecay: { of: ALL },
  momentumSchedule: {
    of: TRAINING,
    flags: (schedule) => ({
      momentumSchedule: typeof schedule === "string" ? schedule : JSON.stringify(schedule),
    }),
  },
  learningRates: { of: ["compare"], fallback: STUDY_DEFAULTS.learningRates },
  finderSeeds: { of: ["compare"], fallback: STUDY_DEFAULTS.finderSeeds, matters: rangeTests },
  sensitivity: { of: ["compare"] },
  maxLr: {
    of: TRAINING,
    matters: ({ arms }) =>
      arms.some(({ schedule, learningRate }) => isCyclical(schedule) && learningRate === null),
  },
  baseLr: { of: TRAINING, matters: cyclical },
  stepSize: {
    of: TRAINING,
    matters: cyclical,
    flags: (size) => {
      const stepSize = typeof size === "number" ? { count: size, unit: "updates" } : size;
      return stepSize.count === 4 && stepSize.unit === "epochs" ? {} : { stepSize };
    },
  },
  snapCycles: { of: TRAINING, fallback: STUDY_DEFAULTS.snapCycles },
  from: { of: ALL, matters: rangeTests },
  to: { of: ALL, matters: rangeTests },
  rangeTestUpdates: {
    of: ALL,
    matters: rangeTests,
    flags: (updates, { study: { kind, reading } }) => {
      if (kind !== "find") return { finderUpdates: updates };
      const isDefault = updates === STUDY_DEFAULTS.rangeTestUpdates && reading !== "published";
      return isDefault ? {} : { updates };
    },
  },
  rangeTestEpochs: {
    of: TRAINING,
    matters: rangeTests,
    flags: (epochs, { study: { kind, reading } }) => {
      if (reading === "published" && epochs === PUBLISHED_EPOCHS) return {};
      throw new Unsayable(`${kind} has no flag for rangeTestEpochs ${epochs}`);
    },
  },
  reading: {
    of: ALL,
    matters: rangeTests,
    flags: (reading, { study: { protocol } }) => {
      if (reading === "published") return { published: true };
      if (protocol === undefined) return {};
      throw new Unsayable(
        `--protocol ${protocol} reads range tests as published, and this study does not`,
      );
    },
  },
  force: {
    of: ALL,
    fallback: STUDY_DEFAULTS.force,
    matters: ({ study, rangeTests }) =>
      study.kind === "find" ? study.confirm !== undefined : rangeTests,
  },
  ramp: { of: ["find", "compare"], fallback: STUDY_DEFAULTS.ramp, matters: rangeTests },
  rule: { of: ["find", "compare"], matters: rangeTests },
  time: { of: TRAINING, flags: (seconds) => ({ time: `${seconds}s` }) },
  targetAccuracy: { of: TRAINING },
  evalEvery: { of: TRAINING, fallback: STUDY_DEFAULTS.evalEvery },
  earlyStopping: { of: TRAINING },
  prune: { of: ["compare"] },
  pruning: { of: ["compare"], flags: flagsOfPruning },
  maxTrials: { of: ["compare"] },
  maxHours: { of: ["compare"] },
  stopFactor: { of: ["find"] },
  smoothing: { of: ["find"] },
  loss: { of: ["find"], fallback: "train" },
  validationEvery: { of: ["find"], flags: (lossEvery) => ({ lossEvery }) },
  confirm: {
    of: ["find"],
    flags: (epochs) => ({ confirm: true, ...(epochs === 2 ? {} : { confirmEpochs: epochs }) }),
  },
  tuneEpochs: {
    of: ["find"],
    flags: (epochs) => ({ tune: true, ...(epochs === 2 ? {} : { tuneEpochs: epochs }) }),
  },
  // The command's own argument.
  source: elsewhere,
  data: { of: ALL, flags: (data, context) => flagsOf(DATA, data, context) },
  // A protocol has one of its own.
  model: {
    of: ALL,
    flags: (name, { study, places }) =>
      name === "vanilla" && study.protocol === undefined
        ? {}
        : { model: name ?? places.model ?? study.modelFile ?? "NETWORK" },
  },
  modelFile: elsewhere,
  modelOptions: { of: [] },
  pretrained: {
    of: ALL,
    flags: (name, { places }) => ({ pretrained: name ?? places.pretrained ?? "WEIGHTS" }),
  },
  cacheFeatures: { of: ALL },
  recipe: { of: ALL, flags: recipeFlags },
  tune: { of: ALL, fallback: false, flags: (tuneConvolutions) => ({ tuneConvolutions }) },
  memory: { of: ALL },
  answers: { of: ALL, flags: (answers, context) => flagsOf(ANSWERS, answers, context) },
  keep: { of: TRAINING },
  protocol: { of: ["compare"] },
  jobs: {
    of: ["find", "compare"],
    // Where nobody says how many, compare takes what is fastest; without its cores a study leaves that open.
    matters: ({ study: { kind, jobs, threads } }) =>
      jobs > 1 || (kind === "compare" && threads !== undefined),
  },
  // The flag's are shared by all that run at a time.
  threads: { of: ALL, flags: (each, { study }) => ({ threads: each * tasksAtOnce(study) }) },
};

/** What a command cannot say, as the end of a sentence. */
class Unsayable extends Error {}

/**
 * The command line that asks for a study.
 *
 * What bears on nothing (a bound of cycles where no arm is cyclical) is left out, and so is what the flags
 * have as their default. A study of the library may be one that no flags ask for: then it says why.
 * @param places what stands in the command for what the study names null; default: SOURCE, the file's own name
 */
export function commandOfStudy(asked: StudySpec, places: NamedPlaces = {}): StudyCommand {
  try {
    const { prolonged = [], objects, ...now } = asked;
    if (objects)
      throw new Unsayable(
        `its arms are made of objects of the program that ran it (${objects.join(", ")})`,
      );
    const study = { ...now, epochs: firstLength(asked) };
    const { kind } = study;
    const source = kind === "demo" ? [] : [leading(study.source ?? places.source ?? "SOURCE")];
    const flags =
      kind === "demo" ? demoFlags(study) : flagsOf(FIELDS, study, contextOf(study, places));
    const words = ["lrscope", kind, ...source, ...flagWords(flags)];
    if (prolonged.length === 0) return { words };
    return { words: [...words, "--out", RUN], followedBy: longerThen(asked) };
  } catch (error) {
    if (error instanceof Unsayable) return { words: null, why: error.message };
    throw error;
  }
}

/** The calls that made it longer. @throws Unsayable where its runs had not come to their end by then */
function longerThen({ kind, epochs, prolonged = [] }: StudySpec): string[][] {
  const early = prolonged.find((each) => each.after !== each.epochs);
  if (early)
    throw new Unsayable(
      `it was made longer after ${early.after} of ${early.epochs} epochs, before its runs had come to their end`,
    );
  const command = kind === "train" ? kind : "compare";
  return prolonged.map(({ schedule }, i) => [
    ...["lrscope", command, "--resume", RUN],
    ...["--epochs", String(prolonged[i + 1]?.epochs ?? epochs), `--${schedule}`],
  ]);
}

/** A path that begins with "-" would be taken for a flag. */
const leading = (word: string) => (word.startsWith("-") ? `./${word}` : word);

function contextOf(study: StudySpec, places: NamedPlaces): Context {
  const arms = parseArms(study.optimizers);
  return {
    ...{ study, places, arms },
    cyclical: arms.some(({ schedule }) => isCyclical(schedule)),
    rangeTests: arms.some((arm) => needsRangeTest(arm, study)),
  };
}

function flagsOf<T extends object>(table: Table<T>, values: T, context: Context): Flags {
  const { kind } = context.study;
  const names = Object.keys(table) as (keyof T & string)[];
  return Object.assign(
    {},
    ...names.map((name): Flags => {
      const said: Said<never> = table[name];
      const value = values[name];
      const { of, fallback, flags, matters } = said;
      if (value === undefined || value === fallback) return {};
      if (matters && !matters(context)) return {};
      if (!of.includes(kind))
        throw new Unsayable(`${kind} has no flag for ${name} ${JSON.stringify(value)}`);
      return flags ? flags(value as never, context) : { [name]: value };
    }),
  );
}

/** Of a comparison its arms; of one run or range test the parts of the one. */
function optimizerFlags(
  optimizers: StudySpec["optimizers"],
  { study, arms, places }: Context,
): Flags {
  const { kind } = study;
  const placed = (part: string) => placedPart(part, places.files);
  if (kind === "compare")
    return {
      optimizers: optimizers.map((text) => {
        if (study.files === undefined) return text;
        const { optimizer, schedule, rate } = armParts(text);
        const parts = [placed(optimizer), ...(schedule === null ? [] : [placed(schedule)])];
        return `${parts.join("+")}${rate === null ? "" : `@${rate}`}`;
      }),
    };
  const [arm, ...others] = arms;
  if (!arm || others.length > 0)
    throw new Unsayable(`${kind} has one arm, and this study has ${optimizers.join(", ")}`);
  // With their settings, which the flags take as they are.
  const { optimizer, schedule, rate } = armParts(arm.name);
  if (kind === "find" && rate !== null)
    throw new Unsayable(`find takes no rate of its own, and this study has ${arm.name}`);
  if (isCyclical(schedule) && rate !== null)
    throw new Unsayable(`train takes no rate beside ${schedule}, and this study has ${arm.name}`);
  return {
    optimizer: placed(optimizer),
    ...(schedule === null ? {} : { schedule: scheduleWord(placed(schedule)) }),
    ...(rate === null ? {} : { lr: Number(rate) }),
  };
}

/** "mine.ts(beta=0.9)" as "./mine.ts(beta=0.9)", or where it is said to lie; other words as they are. */
function placedPart(part: string, files: NamedPlaces["files"] = {}): string {
  const [word = part] = /^[^(]*/.exec(part) ?? [];
  return isPartFile(word) ? `${files[word] ?? `./${word}`}${part.slice(word.length)}` : part;
}

const isUnknown = (optimizer: string) => isPartFile(optimizer) && !isOwnOptimizer(optimizer);

/** A specification goes without the brackets that an arm has around it. */
const scheduleWord = (schedule: string) =>
  schedule.startsWith("(") && /[:{]/.test(schedule) ? schedule.slice(1, -1) : schedule;

/** The first seed, and how many follow each other. */
function seedFlags(seeds: StudySpec["seeds"], { study: { kind } }: Context): Flags {
  const [seed = 0] = seeds;
  if (seeds.some((other, i) => other !== seed + i))
    throw new Unsayable(
      `seeds of a command follow each other, and this study has ${seeds.join(", ")}`,
    );
  if (kind === "train" && seeds.length > 1)
    throw new Unsayable(`train has one seed, and this study has ${seeds.join(", ")}`);
  return { ...(kind === "train" ? {} : { seeds: seeds.length }), ...(seed === 0 ? {} : { seed }) };
}

function recipeFlags(recipe: StudySpec["recipe"], { study: { kind } }: Context): Flags {
  if (Array.isArray(recipe.classWeights))
    throw new Unsayable("no flag takes class weights one by one");
  for (const { prefix } of recipe.parameterGroups ?? [])
    if (/[,=()]/.test(prefix) || prefix !== prefix.trim())
      throw new Unsayable(`no flag takes a parameter group named ${JSON.stringify(prefix)}`);
  const used = Object.entries(recipe).filter(
    ([name]) => kind !== "find" || RECIPE_OPTIONS[name as RecipeName].of === "every study",
  );
  return { batch: recipe.batch, ...flagsOfRecipe(Object.fromEntries(used)) };
}

/** A demonstration is a study of its own, of which little can be chosen. */
function demoFlags(study: StudySpec): Flags {
  const { epochs, seeds, answers, threads, jobs } = study;
  const own = { epochs, seeds, answers, ...(threads === undefined ? {} : { threads }) };
  const [difference] = differences(studySpec.parse(demoStudy(own)), study);
  if (difference) throw new Unsayable(`demo is another study: ${difference}`);
  const context = { ...contextOf(study, {}), study: { ...study, kind: "find" as const } };
  const { samples, png } = answers;
  return {
    epochs,
    ...seedFlags(seeds, context),
    ...(threads === undefined ? {} : { threads: threads * jobs }),
    ...(samples ? {} : { samples }),
    ...(png ? { png } : {}),
  };
}
