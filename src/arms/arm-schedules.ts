/** @file The schedules that an arm may name, each fitted to the length of the run. */

import { get } from "../core/at.ts";
import { InternalError } from "../core/errors.ts";
import {
  constant,
  cosineDecay,
  cosineRestarts,
  exponential,
  expRange,
  inverseSqrt,
  linearRamp,
  multiStep,
  oneCycle,
  polynomial,
  type ReduceOnPlateau,
  reduceOnPlateau,
  type Schedule,
  type ScheduleSpec,
  snapCycles,
  stepDecay,
  trapezoidal,
  triangular,
  triangular2,
  warmup,
} from "../schedules/index.ts";
import { parseScheduleWords } from "../schedules/text/parse-schedule.ts";
import { scheduleOfSpec } from "../schedules/text/schedule-of-spec.ts";
import { isOwnSchedule, isPartFile, ownSchedule } from "./own-parts.ts";
import { givenLength, scheduleWord, withSettings } from "./schedule-settings.ts";

export interface CycleBounds {
  readonly base: number;
  readonly max: number;
  /** Half a cycle, in updates. */
  readonly stepSize: number;
}

/** Between bounds that a range test finds where they are not given. */
const CYCLICAL: Readonly<Record<string, (bounds: CycleBounds, steps: number) => Schedule>> = {
  clr: triangular,
  triangular,
  triangular2,
  // The amplitude comes to a tenth over the run.
  exp_range: (bounds, steps) => expRange({ ...bounds, gamma: 0.1 ** (1 / steps) }),
};

/** From the arm's own rate, over `steps` updates. */
const FITTED: Readonly<Record<string, (rate: number, steps: number) => Schedule>> = {
  cosine: (peak, steps) => cosineDecay({ peak, steps }),
  "1cycle": (max, steps) => oneCycle({ max, steps }),
  // Three cycles of 1, 2 and 4 parts.
  sgdr: (peak, steps) =>
    snapCycles(cosineRestarts({ peak, cycleSteps: part(steps, 1 / 7), growth: 2 }), steps),
  linear: (from, steps) => linearRamp({ from, to: 0, steps }),
  wsd: (peak, steps) => trapezoidal({ ...trapezium(peak, steps) }),
  "wsd-sqrt": (peak, steps) => trapezoidal({ ...trapezium(peak, steps), decay: "sqrt" }),
  isqrt: (peak, steps) => inverseSqrt({ peak, warmupSteps: part(steps, 0.1) }),
  poly: (from, steps) => polynomial({ from, steps, power: 2 }),
  // To a hundredth over the run.
  exp: (rate, steps) => exponential({ rate, factor: 0.01, every: steps }),
  step: (rate, steps) => stepDecay({ rate, every: part(steps, 1 / 3) }),
  multistep: (rate, steps) =>
    multiStep({ rate, milestones: [...new Set([part(steps, 0.5), part(steps, 0.75)])] }),
};

const part = (steps: number, of: number) => Math.max(1, Math.round(of * steps));
const trapezium = (peak: number, steps: number) => ({
  peak,
  steps,
  warmupSteps: Math.round(0.05 * steps),
  decaySteps: Math.round(0.2 * steps),
});

const WARMUP = "warmup-";

/** Words for an arm's schedule; besides these, "warmup-" before one that is not cyclical, and "(SPEC)". */
export const ARM_SCHEDULES: readonly string[] = [
  ...Object.keys(CYCLICAL),
  ...Object.keys(FITTED),
  "plateau",
];

/** Whether its rates go between two bounds, rather than from the arm's own rate. */
export const isCyclical = (word: string | null): boolean =>
  word !== null && Object.hasOwn(CYCLICAL, word);

/** Whether its rates rise to a greatest one and fall: a range test's peak is theirs, its constant rate the others'. */
export const hasPeak = (word: string | null): boolean =>
  isCyclical(word) ||
  (word !== null &&
    (word.startsWith(WARMUP) || ["1cycle", "wsd", "wsd-sqrt", "isqrt"].includes(word)));

/** Whether its course depends on the length of the run, and not on its rates alone. */
export const isFitted = (word: string | null): boolean =>
  word !== null && (word === "exp_range" || word.startsWith(WARMUP) || Object.hasOwn(FITTED, word));

/** Whether it is a specification in brackets, which says its rates itself. */
export const isSpecified = (word: string | null): boolean => word?.startsWith("(") ?? false;

/** @throws ArgumentError for a specification in brackets that is wrong */
export function isArmSchedule(word: string): boolean {
  // A file that is not loaded is one of a record's: what it gave, the trials say.
  if (isOwnSchedule(word) || isPartFile(word)) return true;
  if (isSpecified(word)) return Boolean(specified(word, 1));
  const own = word.startsWith(WARMUP) ? word.slice(WARMUP.length) : null;
  return own === null ? ARM_SCHEDULES.includes(word) : Object.hasOwn(FITTED, own);
}

export interface ArmScheduleOptions {
  /** The arm's own rate: the greatest, where the schedule is not cyclical. */
  readonly rate: number;
  /** Updates of the run. */
  readonly steps: number;
  /** Of a cyclical one. */
  readonly bounds?: CycleBounds;
  /** Stretch cycles so that the last one ends with the run. */
  readonly snap?: boolean;
  /** What the arm says in brackets, and the updates of an epoch, in which lengths may be given. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly updatesPerEpoch?: number;
}

/** The schedule that a word, or a specification in brackets, means for a run. */
export function armSchedule(
  word: string | null,
  options: ArmScheduleOptions,
): Schedule | ReduceOnPlateau {
  const { rate, steps, bounds, snap = false, settings = {}, updatesPerEpoch = 1 } = options;
  if (word === null) return constant(rate);
  const set = (schedule: Schedule | ReduceOnPlateau) =>
    Object.keys(settings).length === 0
      ? schedule
      : scheduleOfSpec(
          withSettings(schedule.toJSON() as ScheduleSpec, word, settings, updatesPerEpoch),
        );
  const snapped = (schedule: Schedule) =>
    snap && schedule.cycleEnd ? snapCycles(schedule, steps) : schedule;
  if (isSpecified(word)) {
    const schedule = specified(word, rate);
    return "initial" in schedule ? schedule : snapped(schedule);
  }
  if (isOwnSchedule(word) || isPartFile(word)) {
    const made = ownSchedule(word, { rate, steps, updatesPerEpoch });
    return "initial" in made ? made : snapped(made);
  }
  if (isCyclical(word)) {
    if (!bounds) throw new InternalError(`arm schedule ${word}: its bounds are not known`);
    const own = get(CYCLICAL, scheduleWord(word, settings), "schedules");
    return snapped(set(own(bounds, steps)) as Schedule);
  }
  if (word === "plateau") return set(reduceOnPlateau({ rate }));
  const given = (key: "warmup" | "steps") => givenLength(word, key, settings, updatesPerEpoch);
  const length = given("steps");
  if (!word.startsWith(WARMUP)) return set(get(FITTED, word, "schedules")(rate, length ?? steps));
  const before = given("warmup") ?? part(steps, 0.05);
  const fitted = get(FITTED, word.slice(WARMUP.length), "schedules");
  const schedule = set(fitted(rate, length ?? Math.max(1, steps - before))) as Schedule;
  return warmup(schedule, { steps: before, from: schedule(0) === 0 ? 0 : rate / 100 });
}

/** A plateau's rate is the arm's unless it says another. */
function specified(word: string, rate: number): Schedule | ReduceOnPlateau {
  const spec = parseScheduleWords(word.slice(1, -1));
  return scheduleOfSpec(spec.type === "reduceOnPlateau" ? { rate, ...spec } : spec);
}
