/** @file Arms of the library's own objects: an Optimizer, a Schedule, or what makes them. */

import { ArgumentError } from "../core/errors.ts";
import {
  createOptimizer,
  type Optimizer,
  type OptimizerFactory,
  registerOptimizer,
} from "../optimizers/index.ts";
import {
  type ReduceOnPlateau,
  type Schedule,
  type ScheduleSpec,
  scheduleTypes,
} from "../schedules/index.ts";
import { numberWord } from "./flag-words.ts";
import { type OwnSchedule, registerSchedule } from "./own-parts.ts";

/** An arm by objects; each part may be a word too. */
export interface OwnArm {
  /** "adamw(beta2=0.95)"; what defineOptimizer makes; or an optimizer, whose rate is the arm's. */
  readonly optimizer: string | Optimizer | OptimizerFactory;
  /** "cosine"; a schedule, which says its rates itself; or a function of `{ rate, steps, updatesPerEpoch }`. Default: a constant rate. */
  readonly schedule?: string | OwnSchedule;
}

/**
 * Their texts, as if they had been written: an optimizer of lrscope by its settings, a schedule that can be written
 * down by its specification. Any other is known in this process under the text's name.
 * @throws ArgumentError for a part of another kind
 */
export const textsOfArms = (arms: readonly (string | OwnArm)[]): string[] =>
  arms.map((arm, i) => (typeof arm === "string" ? arm : textOfArm(arm, i + 1)));

function textOfArm({ optimizer, schedule }: OwnArm, place: number): string {
  const saysRates = typeof schedule === "object" || isSchedule(schedule);
  const { word, rate } = optimizerText(optimizer, place);
  const after = schedule === undefined ? "" : `+${scheduleText(schedule, place)}`;
  return `${word}${after}${rate === null || saysRates ? "" : `@${numberWord(rate)}`}`;
}

const isSchedule = (value: unknown): value is Schedule =>
  typeof value === "function" && "toJSON" in value;

function optimizerText(
  optimizer: OwnArm["optimizer"],
  place: number,
): { word: string; rate: number | null } {
  if (typeof optimizer === "string") return { word: optimizer, rate: null };
  if (typeof optimizer === "function") {
    const name = optimizer.optimizerName;
    if (known(name) !== null && sameForm(optimizer())) return { word: name, rate: null };
    const own = known(name) === null ? name : `${name}-${place}`;
    registerOptimizer(own, optimizer);
    return { word: own, rate: null };
  }
  if (typeof optimizer !== "object" || optimizer === null || !("expression" in optimizer))
    throw new ArgumentError(
      `arms: optimizer must be a word, an optimizer or what defineOptimizer makes; got ${typeof optimizer}`,
    );
  const { name, dialect, hyperparameters } = optimizer;
  const { learningRate: rate, ...settings } = hyperparameters;
  const usual = known(name);
  const ours = usual !== null && sameForm(optimizer) ? known(name, dialect) : null;
  if (ours === null) {
    const own = usual === null ? name : `${name}-${place}`;
    registerOptimizer(own, optimizer);
    return { word: own, rate };
  }
  const said = Object.entries(settings)
    .filter(([key, value]) => ours.hyperparameters[key] !== value)
    .map(([key, value]) => `${key}=${value}`);
  if (dialect !== null && dialect !== usual?.dialect) said.push(`dialect=${dialect}`);
  return {
    word: said.length === 0 ? name : `${name}(${said.join(",")})`,
    rate: rate === ours.hyperparameters.learningRate ? null : rate,
  };
}

/** The optimizer of that name with its defaults; null where lrscope has none. */
function known(name: string, dialect: Optimizer["dialect"] = null): Optimizer | null {
  try {
    return createOptimizer(name, {}, { dialect: dialect ?? undefined });
  } catch (error) {
    if (error instanceof ArgumentError) return null;
    throw error;
  }
}

/** Whether its name and numbers make it again. */
function sameForm(optimizer: Optimizer): boolean {
  const { name, dialect, hyperparameters } = optimizer;
  try {
    const again = createOptimizer(name, hyperparameters, { dialect: dialect ?? undefined });
    return alike(again, optimizer, new Map());
  } catch (error) {
    if (error instanceof ArgumentError) return false;
    throw error;
  }
}

/** Whether two values are made of the same; a part that many share is looked at once. */
function alike(a: unknown, b: unknown, seen: Map<object, unknown>): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return Object.is(a, b);
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  const [own, others] = [Object.entries(a), Object.entries(b)];
  return (
    own.length === others.length &&
    own.every(([key, value]) => alike(value, (b as Record<string, unknown>)[key], seen))
  );
}

function scheduleText(schedule: string | OwnSchedule, place: number): string {
  if (typeof schedule === "string") return schedule;
  const spec = typeof schedule === "object" || isSchedule(schedule) ? written(schedule) : null;
  if (spec !== null) return `(${JSON.stringify(spec)})`;
  const name = `own-${place}`;
  registerSchedule(name, schedule);
  return name;
}

/** null where it is made of a function of one's own. */
function written(schedule: Schedule | ReduceOnPlateau): ScheduleSpec | null {
  try {
    const spec = schedule.toJSON() as ScheduleSpec;
    return spec.type === "reduceOnPlateau" || scheduleTypes.includes(spec.type) ? spec : null;
  } catch (error) {
    if (error instanceof ArgumentError) return null;
    throw error;
  }
}
