/** @file What an arm says of its schedule in brackets: every option of its family, lengths in updates or epochs. */

import { ArgumentError, InternalError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { shortened } from "../core/shown.ts";
import type { ScheduleSpec } from "../schedules/index.ts";
import { ownName } from "./arm-settings.ts";
import type { ArmText } from "./arm-text.ts";
import { isPartFile } from "./own-parts.ts";

/** A family by its options: the one that @RATE is, and the others by the names of its specification. */
interface Family {
  readonly type: string;
  readonly rate: string;
  readonly options: readonly string[];
}

const CYCLE = ["base", "stepSize", "stepDown"];
const TRAPEZOID: Family = {
  type: "trapezoidal",
  rate: "peak",
  options: ["steps", "warmupSteps", "decaySteps", "decay", "from", "floor"],
};

/** By the words that arms have for schedules. */
const FAMILIES: Readonly<Record<string, Family>> = {
  triangular: { type: "triangular", rate: "max", options: CYCLE },
  triangular2: { type: "triangular2", rate: "max", options: CYCLE },
  exp_range: { type: "expRange", rate: "max", options: [...CYCLE, "gamma", "decay"] },
  cosine: { type: "cosineDecay", rate: "peak", options: ["steps", "floor"] },
  "1cycle": {
    type: "oneCycle",
    rate: "max",
    options: [
      ...["steps", "dialect", "riseFraction", "startDivisor", "endDivisor"],
      ...["end", "phases", "fallFraction", "anneal"],
    ],
  },
  sgdr: { type: "cosineRestarts", rate: "peak", options: ["cycleSteps", "growth", "floor"] },
  linear: { type: "linearRamp", rate: "from", options: ["to", "steps"] },
  wsd: TRAPEZOID,
  "wsd-sqrt": TRAPEZOID,
  isqrt: { type: "inverseSqrt", rate: "peak", options: ["warmupSteps", "from"] },
  poly: { type: "polynomial", rate: "from", options: ["steps", "to", "power"] },
  exp: { type: "exponential", rate: "rate", options: ["factor", "every"] },
  step: { type: "stepDecay", rate: "rate", options: ["every", "factor"] },
  multistep: { type: "multiStep", rate: "rate", options: ["milestones", "factor"] },
  plateau: {
    type: "reduceOnPlateau",
    rate: "rate",
    options: [
      ...["factor", "patience", "mode", "threshold"],
      ...["thresholdMode", "cooldown", "floor", "epsilon"],
    ],
  },
};

/** Of a cyclical arm: which of the three, "clr" being the first. */
const MODES = ["triangular", "triangular2", "exp_range"];
/** Options whose value is a word. */
const WORDS = new Set(["decay", "dialect", "anneal", "mode", "thresholdMode"]);
/** Options that are numbers of updates, or of epochs followed by e. */
const LENGTHS = new Set([
  ...["stepSize", "stepDown", "steps", "cycleSteps"],
  ...["every", "warmupSteps", "decaySteps", "milestones"],
]);
/** Of a warm-up before another: its length, as "warmup". */
const WARMUP = "warmup-";

/** The word that says how the rate goes: "clr(mode=triangular2)" is triangular2. */
export function scheduleWord(
  word: string,
  settings: Readonly<Record<string, string>> = {},
): string {
  if (word !== "clr") return word;
  return settings.mode ?? "triangular";
}

function familyOf(word: string): Family {
  const own = word.startsWith(WARMUP) ? word.slice(WARMUP.length) : word;
  const family = Object.hasOwn(FAMILIES, own) ? FAMILIES[own] : undefined;
  if (!family) throw new InternalError(`arm schedule ${word}: no family is known for it`);
  return family;
}

export interface ScheduleSettings {
  /** As they are written, by our own names. */
  readonly scheduleSettings?: Readonly<Record<string, string>>;
  /** Where the schedule's rate is among them, in place of @RATE. */
  readonly learningRate?: number;
}

/**
 * @throws ArgumentError for an option that the family has not, naming the nearest and the list, or a value of
 *   another kind
 */
export function scheduleSettingsOf(arm: string, text: ArmText): ScheduleSettings {
  const { schedule, scheduleSettings } = text;
  if (schedule === null || scheduleSettings.size === 0) return {};
  if (isPartFile(schedule))
    throw new ArgumentError(
      `arm "${shortened(arm)}": a schedule of a file takes no settings; write them into ${shortened(schedule)}`,
    );
  const written = Object.fromEntries(
    [...scheduleSettings].map(([key, value]) => [ownName(key), value ?? ""]),
  );
  const refuse = (what: string): never => {
    throw new ArgumentError(`arm "${shortened(arm)}": ${what}`);
  };
  const { mode } = written;
  if (schedule === "clr" && mode !== undefined && !MODES.includes(mode))
    refuse(
      `mode must be one of ${MODES.join(", ")}; got "${shortened(mode)}"${didYouMean(mode, MODES)}`,
    );
  const family = familyOf(scheduleWord(schedule, written));
  const known = [
    ...(schedule === "clr" ? ["mode"] : []),
    ...(schedule.startsWith(WARMUP) ? ["warmup"] : []),
    ...[family.rate, ...family.options],
  ];
  for (const [key, value] of Object.entries(written)) {
    if (!known.includes(key))
      refuse(
        `${schedule} has no option "${shortened(key)}"${didYouMean(key, known)} It has ${known.join(", ")}`,
      );
    if (value === "") refuse(`${key} needs a value, as in ${key}=${exampleOf(key)}`);
    if (!isWord(schedule, key)) valuesOf(key, value, 1, refuse);
  }
  const { [family.rate]: rate, ...others } = written;
  if (rate === undefined) return { scheduleSettings: others };
  const learningRate = Number(rate);
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    refuse(`${family.rate} must be a positive number; got "${shortened(rate)}"`);
  return {
    learningRate,
    ...(Object.keys(others).length > 0 ? { scheduleSettings: others } : {}),
  };
}

const isWord = (schedule: string, key: string) =>
  WORDS.has(key) && (key !== "mode" || schedule === "clr" || schedule === "plateau");

const exampleOf = (key: string) =>
  LENGTHS.has(key) ? "4e" : key === "mode" ? "triangular2" : WORDS.has(key) ? "word" : "0.1";

/** Numbers with / between; each in updates, or in epochs where an e follows and the option is a length. */
function valuesOf(
  key: string,
  text: string,
  updatesPerEpoch: number,
  refuse: (what: string) => never,
): number[] {
  return text.split("/").map((part) => {
    const epochs = LENGTHS.has(key) || key === "warmup" ? /^(.*[^e])e$/i.exec(part) : null;
    const number = Number(epochs ? epochs[1] : part);
    if (part.trim() === "" || !Number.isFinite(number))
      refuse(
        `${key} must be ${LENGTHS.has(key) ? "a number of updates, or of epochs followed by e" : "a number"}; got "${shortened(part)}"`,
      );
    return epochs ? Math.max(1, Math.round(number * updatesPerEpoch)) : number;
  });
}

/**
 * The specification with the settings in place of what is fitted to the run.
 * @throws ArgumentError from whoever reads it, for values outside their domain
 */
export function withSettings(
  spec: ScheduleSpec,
  word: string,
  settings: Readonly<Record<string, string>>,
  updatesPerEpoch: number,
): ScheduleSpec {
  const { type } = familyOf(scheduleWord(word, settings));
  const refuse = (what: string): never => {
    throw new ArgumentError(`schedule ${word}: ${what}`);
  };
  const { warmup: _before, ...own } = settings;
  const { mode, ...rest } = own;
  const read = Object.entries(word === "clr" ? rest : own).map(([key, value]) => {
    if (isWord(word, key)) return [key, value];
    const values = valuesOf(key, value, updatesPerEpoch, refuse);
    return [key, key === "milestones" ? values : values[0]];
  });
  const given = Object.fromEntries(read) as Record<string, unknown>;
  const change = (inner: ScheduleSpec): ScheduleSpec => {
    if (inner.type === type) return { ...fitted(inner), ...given };
    const changed = change(inner.schedule as ScheduleSpec);
    // Restarts of a length that is given are not fitted to end with the run.
    const isFit = inner.type === "stretch" || inner.type === "holdAfter";
    if (isFit && "cycleSteps" in given) return changed;
    return { ...inner, schedule: changed };
  };
  return change(spec);
}

/**
 * What is fitted to the run, beside which defaults stand that depend on what is given: of one-cycle those of its
 * dialect, and the divisor where its end is given.
 */
function fitted(spec: ScheduleSpec): ScheduleSpec {
  if (spec.type !== "oneCycle") return spec;
  const { type, max, steps } = spec;
  return { type, max, steps };
}

/** A length that an arm says, in updates: of the warm-up in front of a schedule, or "steps" of its own. */
export function givenLength(
  word: string,
  key: "warmup" | "steps",
  { [key]: text }: Readonly<Record<string, string>>,
  updatesPerEpoch: number,
): number | undefined {
  if (text === undefined) return undefined;
  const [updates] = valuesOf(key, text, updatesPerEpoch, (what) => {
    throw new ArgumentError(`schedule ${word}: ${what}`);
  });
  return updates;
}

/** Every word with its options, for tests and for help. */
export const SCHEDULE_OPTIONS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(FAMILIES).map(([word, { rate, options }]) => [word, [rate, ...options]]),
);
