/** @file Arms of the library's own objects: an Optimizer, a Schedule, or what makes them. */

import { at } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import {
  createOptimizer,
  holdOptimizer,
  isOwnOptimizer,
  type Optimizer,
  type OptimizerFactory,
  type OwnOptimizer,
  ownOptimizer,
  wrapperNames,
} from "../optimizers/index.ts";
import {
  type ReduceOnPlateau,
  type Schedule,
  type ScheduleSpec,
  scheduleTypes,
} from "../schedules/index.ts";
import { numberWord } from "./flag-words.ts";
import { holdSchedule, knownSchedule, type OwnSchedule } from "./own-parts.ts";

/** An arm by objects; each part may be a word too. */
export interface OwnArm {
  /** "adamw(beta2=0.95)"; what defineOptimizer makes; or an optimizer, whose rate is the arm's. */
  readonly optimizer: string | Optimizer | OptimizerFactory;
  /** "cosine"; a schedule, which says its rates itself; or a function of `{ rate, steps, updatesPerEpoch }`. Default: a constant rate. */
  readonly schedule?: string | OwnSchedule;
}

/** Arms of objects, as if they had been written. */
export interface HeldArms {
  readonly texts: readonly string[];
  /** Names in the texts that stand for objects of this process, which no record holds. */
  readonly objects: readonly string[];
  /** Makes those names unknown again. */
  release(): void;
}

/**
 * Their texts: an optimizer of lrscope by its settings, a schedule that can be written down by its specification. Any
 * other is known in this process under a name in the text, until it is released.
 * @throws ArgumentError for a part of another kind
 */
export function heldArms(arms: readonly (string | OwnArm)[]): HeldArms {
  const held = new Map<string, () => void>();
  const release = () => {
    for (const each of held.values()) each();
  };
  try {
    const texts = arms.map((arm, i) =>
      typeof arm === "string" ? arm : textOfArm(arm, i + 1, held),
    );
    const objects = [...held.keys()].map((key) => key.replace(/^[a-z]+ /, ""));
    return { texts, objects: [...new Set(objects)], release };
  } catch (error) {
    release();
    throw error;
  }
}

/** By what is held for some arms, as "schedule own-1": what ends that. */
type Held = Map<string, () => void>;

function textOfArm({ optimizer, schedule }: OwnArm, place: number, held: Held): string {
  const saysRates = typeof schedule === "object" || isSchedule(schedule);
  const { word, rate } = optimizerText(optimizer, place, held);
  const after = schedule === undefined ? "" : `+${scheduleText(schedule, place, held)}`;
  return `${word}${after}${rate === null || saysRates ? "" : `@${numberWord(rate)}`}`;
}

const isSchedule = (value: unknown): value is Schedule =>
  typeof value === "function" && "toJSON" in value;

function optimizerText(
  optimizer: OwnArm["optimizer"],
  place: number,
  held: Held,
): { word: string; rate: number | null } {
  if (typeof optimizer === "string") return { word: optimizer, rate: null };
  if (typeof optimizer === "function") {
    const name = optimizer.optimizerName;
    if (!isOwn(name) && known(name) !== null && sameForm(optimizer()))
      return { word: name, rate: null };
    return { word: heldOptimizer(name, { optimizer, place, held }), rate: null };
  }
  if (typeof optimizer !== "object" || optimizer === null || !("expression" in optimizer))
    throw new ArgumentError(
      `arms: optimizer must be a word, an optimizer or what defineOptimizer makes; got ${typeof optimizer}`,
    );
  const { name, dialect, hyperparameters } = optimizer;
  const { learningRate: rate, ...settings } = hyperparameters;
  const usual = isOwn(name) ? null : known(name);
  const ours = usual !== null && sameForm(optimizer) ? known(name, dialect) : null;
  if (ours === null) return { word: heldOptimizer(name, { optimizer, place, held }), rate };
  const said = Object.entries(settings)
    .filter(([key, value]) => ours.hyperparameters[key] !== value)
    .map(([key, value]) => `${key}=${value}`);
  if (dialect !== null && dialect !== usual?.dialect) said.push(`dialect=${dialect}`);
  return {
    word: said.length === 0 ? name : `${name}(${said.join(",")})`,
    rate: rate === ours.hyperparameters.learningRate ? null : rate,
  };
}

/** Whether it is one of this process, or a wrapper around one. */
const isOwn = (name: string): boolean =>
  isOwnOptimizer(name) ||
  wrapperNames.some(
    (wrapper) => name.startsWith(`${wrapper}-`) && isOwn(name.slice(wrapper.length + 1)),
  );

/** Holds it by its own name, or one made of that where another has it. */
function heldOptimizer(
  name: string,
  { optimizer, place, held }: { optimizer: OwnOptimizer; place: number; held: Held },
): string {
  const plain = plainWord(name);
  const own = freeName([plain, `${plain}-${place}`], (word) => {
    const other = ownOptimizer(word);
    return other === undefined ? known(word) === null : alike(other, optimizer, new Map());
  });
  const key = `optimizer ${own}`;
  if (!held.has(key)) held.set(key, holdOptimizer(own, optimizer));
  return own;
}

/** As a word of an arm: no separator of one, and no ending of a file. */
const plainWord = (name: string) => name.replaceAll(/[^\p{L}\p{N}_-]+/gu, "-");

/** The first that is free, of some names and of the last of them with a number behind it. */
function freeName(names: readonly string[], isFree: (name: string) => boolean): string {
  const last = at(names, names.length - 1, "names");
  for (let i = 0; ; i++) {
    const name = names[i] ?? `${last}-${i - names.length + 2}`;
    if (isFree(name)) return name;
  }
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

function scheduleText(schedule: string | OwnSchedule, place: number, held: Held): string {
  if (typeof schedule === "string") return schedule;
  const spec = typeof schedule === "object" || isSchedule(schedule) ? written(schedule) : null;
  if (spec !== null) return `(${JSON.stringify(spec)})`;
  const name = freeName([`own-${place}`], (word) => {
    const other = knownSchedule(word);
    return other === undefined || other === schedule;
  });
  const key = `schedule ${name}`;
  if (!held.has(key)) held.set(key, holdSchedule(name, schedule));
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
