/** @file From flags to a study, and the places of this machine that they name. */

import type { NamedPlaces } from "../../arms/study-command.ts";
import { ArgumentError } from "../../core/errors.ts";
import type { OpenStudyOptions, StudyPlaces } from "../../index.ts";
import type { Ends, StudyRequest, StudySpec } from "../../record/index.ts";
import { recipeOfFlags } from "../../record/recipe.ts";
import type { FlagValues } from "./define-command.ts";
import type {
  answerFlags,
  cycleFlags,
  finderUpdatesFlag,
  followFlags,
  forceFlag,
  outFlag,
  rampFlags,
  readingFlags,
  samplesFlag,
  tensorboardFlag,
  trainingFlags,
} from "./flags.ts";
import type { learningRateFlags } from "./protocol-flags.ts";
import { seedsFrom } from "./seeds.ts";
import type { PruneRule } from "./values.ts";

/** What every study is asked with; what a command lacks of the rest has the study's own default. */
type StudyFlags = FlagValues<typeof trainingFlags & typeof outFlag & typeof samplesFlag> &
  Loose<
    FlagValues<
      typeof cycleFlags &
        typeof finderUpdatesFlag &
        typeof followFlags &
        typeof forceFlag &
        typeof rampFlags &
        typeof readingFlags &
        typeof learningRateFlags &
        typeof answerFlags &
        typeof tensorboardFlag
    > &
      Omit<Ends, "prune"> & {
        readonly prune: PruneRule;
        readonly test: number;
        readonly jobs: number;
        readonly stopFactor: number;
        readonly protocol: string;
        readonly reduction: number;
        readonly grace: number;
        readonly finalists: number;
        readonly maxTrials: number;
        readonly maxHours: number;
        readonly keep: NonNullable<StudySpec["keep"]>;
      }
  >;

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface StudyCall {
  readonly kind: StudySpec["kind"];
  /** A source's name, or a folder. */
  readonly source: string;
  /** `NAME[+SCHEDULE][@RATE]` each. */
  readonly optimizers: readonly string[];
  /** How many; the first is --seed. */
  readonly seeds: number;
  readonly epochs: number;
  readonly flags: StudyFlags;
  /** Where it is not what the flags say. */
  readonly study?: Partial<StudyRequest>;
}

/** A study, and how it is opened here. */
export interface AskedStudy {
  readonly study: StudyRequest;
  readonly opening: Pick<OpenStudyOptions, "places" | "out" | "threads" | "jobs">;
  /** What the user should know of how the call was read. */
  readonly said?: string;
}

/** @throws ArgumentError where flags do not go together */
export async function studyOfFlags({
  kind,
  source,
  optimizers,
  seeds,
  epochs,
  flags,
  study = {},
}: StudyCall): Promise<AskedStudy> {
  const { namesOf } = await import("../../study/places.ts");
  const { loadArmFiles, namedArms } = await import("../../study/own-code/arm-files.ts");
  const { model, pretrained } = flags;
  const { texts, places: files } = namedArms(optimizers);
  const loaded = await loadArmFiles(texts, files);
  const places: StudyPlaces = {
    source,
    model,
    pretrained,
    ...(loaded.length > 0 ? { files } : {}),
  };
  return {
    study: {
      formatVersion: 2,
      kind,
      ...namesOf(places),
      optimizers: texts,
      ...(loaded.length > 0 ? { files: loaded } : {}),
      seeds: seedsFrom(kind, flags.seed, seeds),
      epochs,
      ...given(flags, PLANNED),
      ...pruningOf(kind, flags),
      ...(flags.tuneConvolutions ? { tune: true } : {}),
      ...(flags.finderUpdates === undefined ? {} : { rangeTestUpdates: flags.finderUpdates }),
      ...(flags.published ? { reading: "published" as const } : {}),
      momentumSchedule: await momentumScheduleOf(flags.momentumSchedule),
      data: {
        ...given(flags, ["size", "limit", "test"]),
        validation: flags.validation,
        splitSeed: flags.splitSeed,
        augment: flags.augment,
        ...(flags.copies === "leave-out" ? { copies: flags.copies } : {}),
      },
      recipe: recipeOfFlags(flags, kind),
      answers: given(flags, ["targets", "profile", "tensorboard", "samples", "png"]),
      ...study,
    },
    opening: { places, out: flags.out, threads: flags.threads },
  };
}

/** What a call says that its study does not, for the command that is to follow it. */
export interface SaidBefore {
  readonly places: NamedPlaces;
  readonly threads: number | undefined;
}

/** A run that is gone on with has its own network, whatever would be the default of a new one. */
export function saidBefore({
  args: [source],
  flags: { model, pretrained, threads },
  given,
}: {
  readonly args: readonly string[];
  readonly flags: Pick<StudyFlags, "model" | "pretrained" | "threads">;
  readonly given: ReadonlySet<string>;
}): SaidBefore {
  const isSaid = !given.has("resume") || given.has("model");
  return { places: { source, model: isSaid ? model : undefined, pretrained }, threads };
}

/** Flags that a study has under the same names. */
const PLANNED = [
  ...["momentum", "weightDecay", "learningRates", "finderSeeds", "sensitivity"],
  ...["maxLr", "baseLr", "stepSize", "snapCycles", "from", "to", "ramp", "rule", "force"],
  ...["time", "targetAccuracy", "evalEvery", "earlyStopping", "maxTrials", "maxHours"],
  ...["protocol", "stopFactor", "smoothing", "loss", "cacheFeatures", "memory", "jobs", "keep"],
];

/** @throws ArgumentError for flags of a rule that is not asked for */
function pruningOf(
  kind: string,
  { prune, ...flags }: Pick<StudyFlags, "prune" | "reduction" | "grace" | "finalists">,
): Pick<StudyRequest, "prune" | "pruning"> {
  const { reduction, grace, finalists } = flags;
  const refuse = (flag: string, why: string) => {
    throw new ArgumentError(`${kind}: --${flag} has no effect ${why}; leave it out`);
  };
  if (prune === undefined || prune === "none" || typeof prune === "number") {
    for (const [flag, value] of Object.entries({ reduction, grace, finalists }))
      if (value !== undefined) refuse(flag, "without --prune halving, asha or median");
    return typeof prune === "number" ? { prune } : {};
  }
  if (prune === "median" && reduction !== undefined)
    refuse("reduction", "with --prune median, which asks who is above the median");
  return {
    pruning: {
      method: prune,
      ...given({ reduction, grace, finalists }, ["reduction", "grace", "finalists"]),
    },
  };
}

/** Those of the flags that the command has and that are not undefined. */
const given = (flags: object, names: readonly string[]): Readonly<Record<string, never>> =>
  Object.fromEntries(
    Object.entries(flags as Record<string, never>).filter(
      ([name, value]) => names.includes(name) && value !== undefined,
    ),
  );

/** @throws ArgumentError where it is no schedule */
async function momentumScheduleOf(
  text: string | undefined,
): Promise<StudyRequest["momentumSchedule"]> {
  if (text === undefined || text === "none" || text === "inverse") return text;
  const { parseSchedule } = await import("../../schedules/text/parse-schedule.ts");
  return parseSchedule(text).toJSON();
}
