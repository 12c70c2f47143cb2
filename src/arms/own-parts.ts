/**
 * @file Optimizers and schedules of one's own as parts of arms: a file is called by its name alone, "mine.ts", as a
 * record holds no path; where it lies is a matter of the machine. What is known here is known in this process.
 */

import { ArgumentError } from "../core/errors.ts";
import { heldParts } from "../core/held-parts.ts";
import { shortened } from "../core/shown.ts";
import {
  piecewise,
  type ReduceOnPlateau,
  type Schedule,
  type ScheduleSpec,
  scheduleTypes,
} from "../schedules/index.ts";
import { scheduleOfSpec } from "../schedules/text/schedule-of-spec.ts";

/** What a schedule of one's own is made for. */
export interface ScheduleRun {
  /** The arm's own rate: the greatest that the schedule should have. */
  readonly rate: number;
  /** Updates of the run. */
  readonly steps: number;
  readonly updatesPerEpoch: number;
}

/** A schedule that says its rates and lengths itself, or what makes one for a run. */
export type OwnSchedule =
  | Schedule
  | ReduceOnPlateau
  | ((run: ScheduleRun) => Schedule | ReduceOnPlateau);

const SCHEDULES = heldParts<OwnSchedule>();

/** Whether a word of an arm names a file: "mine.ts", "./lib/mine.js". */
export const isPartFile = (word: string | null): boolean =>
  word !== null && /\.[cm]?[jt]s$/.test(word);

/** Makes a schedule known by a name, which arms of this process may have behind their +. */
export const registerSchedule = (name: string, schedule: OwnSchedule): void =>
  SCHEDULES.keep(name, schedule);

/** The same for as long as a study needs it: what is returned makes the name unknown again. */
export const holdSchedule = (name: string, schedule: OwnSchedule): (() => void) =>
  SCHEDULES.hold(name, schedule);

/** The schedule of that name in this process. */
export const knownSchedule = (name: string): OwnSchedule | undefined => SCHEDULES.get(name);

export const isOwnSchedule = (word: string | null): boolean => word !== null && SCHEDULES.has(word);

/** Whether it says its rates itself, so that the arm's has no effect. */
export const saysItsRates = (word: string | null): boolean => {
  const own = word === null ? undefined : SCHEDULES.get(word);
  return own !== undefined && isMade(own);
};

const isMade = (own: OwnSchedule): own is Schedule | ReduceOnPlateau => "toJSON" in own;

/**
 * For a run, in a form that a record can hold.
 * @throws ArgumentError where it is not known in this process, makes no schedule, or a rate is no number from 0 on
 */
export function ownSchedule(name: string, run: ScheduleRun): Schedule | ReduceOnPlateau {
  const own = SCHEDULES.get(name);
  if (!own) throw unknownPart(name, "schedule");
  const made = isMade(own) ? own : own(run);
  if (
    made === null ||
    (typeof made !== "function" && typeof made !== "object") ||
    !("toJSON" in made)
  )
    throw new ArgumentError(
      `schedule ${name}: must return what the functions of lrscope/schedules make; got ${made === null ? "null" : typeof made}`,
    );
  return recordable(name, made, run.steps);
}

export const unknownPart = (name: string, what: "schedule" | "optimizer") =>
  new ArgumentError(
    `${what} ${shortened(name)}: the file was not loaded; give its path, as in --${what} ./${shortened(name)}`,
  );

/** Rates that differ from the one before, of a schedule that only its own code can compute. */
const MOST_POINTS = 100_000;

/** As it is, where its specification gives the same rates; else its rates, update by update. */
function recordable(
  name: string,
  made: Schedule | ReduceOnPlateau,
  steps: number,
): Schedule | ReduceOnPlateau {
  const spec = specificationOf(made);
  if ("initial" in made) return spec ? scheduleOfSpec(spec) : made;
  if (spec && scheduleTypes.includes(spec.type)) {
    const read = scheduleOfSpec(spec);
    const looked = [0, 1, Math.floor(steps / 2), steps - 1];
    if (!("initial" in read) && looked.every((t) => read(t) === made(t))) return read;
  }
  const points: [number, number][] = [];
  for (let t = 0; t < steps; t++) {
    const rate = made(t);
    if (!(Number.isFinite(rate) && rate >= 0))
      throw new ArgumentError(
        `schedule ${name}: the rate of update ${t} must be a number, 0 or more; got ${rate}`,
      );
    if (points.at(-1)?.[1] !== rate) points.push([t, rate]);
    if (points.length > MOST_POINTS)
      throw new ArgumentError(
        `schedule ${name}: more than ${MOST_POINTS} different rates cannot be recorded one by one; make it of the functions of lrscope/schedules`,
      );
  }
  return piecewise({ points });
}

/** null where it cannot be written down, as it is made of a function of one's own. */
function specificationOf(made: Schedule | ReduceOnPlateau): ScheduleSpec | null {
  try {
    return made.toJSON() as ScheduleSpec;
  } catch (error) {
    if (error instanceof ArgumentError) return null;
    throw error;
  }
}
