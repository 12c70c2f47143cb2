/**
 * @file Labels of arms where there is little room: shortened to what tells them apart, and never to the same.
 * "adamw+warmup-cosine@1e-4" and "adamw+warmup-cosine@3e-4" are "adamw@1e-4" and "adamw@3e-4".
 */

import { cutInTheMiddle } from "../core/short-name.ts";

/** What the name of an arm is made of. Of a name of any other form the optimizer is all of it. */
interface Parts {
  /** Of several runs side by side: "run-a: ". */
  readonly run: string;
  readonly optimizer: string;
  readonly settings: readonly string[];
  readonly schedule: string;
  readonly scheduleSettings: readonly string[];
  readonly rate: string;
}

/** The label of each name. */
export type Labels = (name: string) => string;

/**
 * The longest labels that fit, all of one kind: the names; then without the settings that arms of one optimizer
 * have in common, without the schedule, the rate and the optimizer where these are; then cut in the middle, those
 * that would read the same numbered by their place. All are distinct; the last kind, numbers, is taken without asking.
 * @param names distinct
 * @param fits whether there is room for all of them
 */
export function labelsFor(names: readonly string[], fits: (labels: Labels) => boolean): Labels {
  const parts = names.map(partsOf);
  const reduced = [0, 1, 2, 3, 4].map((level) =>
    names.map((name, i) => reducedText(name, i, level)),
  );
  function reducedText(name: string, i: number, level: number): string {
    const own = parts[i];
    if (level === 0 || own === undefined) return name;
    const group = parts.filter((of) => of.run === own.run && of.optimizer === own.optimizer);
    return textOf(withoutCommon(own, { group, all: parts }, level));
  }
  const shortest = reduced.findLast(isDistinct) ?? names;
  return firstThatFits(names, [...reduced, ...cutTexts(shortest)], fits);
}

/** Labels of names of any other kind: as they are, or cut in the middle, and as distinct. */
export function cutLabelsFor(names: readonly string[], fits: (labels: Labels) => boolean): Labels {
  return firstThatFits(names, [names, ...cutTexts(names)], fits);
}

function firstThatFits(
  names: readonly string[],
  kinds: readonly (readonly string[])[],
  fits: (labels: Labels) => boolean,
): Labels {
  for (const texts of kinds) {
    const labels = lookUp(names, texts);
    if (isDistinct(texts) && fits(labels)) return labels;
  }
  return lookUp(
    names,
    names.map((_, i) => `#${i + 1}`),
  );
}

const cutTexts = (texts: readonly string[]) =>
  LENGTHS.map((most) =>
    numbered(
      texts.map((text) => cutInTheMiddle(text, most)),
      most,
    ),
  );

/** Characters of labels that are cut. */
const LENGTHS = [48, 40, 32, 26, 21, 17, 14, 11, 9, 7];

const lookUp = (names: readonly string[], texts: readonly string[]): Labels => {
  const map = new Map(names.map((name, i) => [name, texts[i] ?? name]));
  return (name) => map.get(name) ?? name;
};

const isDistinct = (texts: readonly string[]) =>
  new Set(texts).size === texts.length && texts.every((text) => text !== "");

/** Those that read the same with their places in front: "3: sgd…(1e-3)". */
function numbered(texts: readonly string[], most: number): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return texts.map((text, i) =>
    counts.get(text) === 1
      ? text
      : `${i + 1}: ${cutInTheMiddle(text, Math.max(3, most - String(i + 1).length - 2))}`,
  );
}

type CommonIn = { readonly group: readonly Parts[]; readonly all: readonly Parts[] };

/** From the second level on also without the schedule, from the third without the rate, from the fourth without the optimizer. */
function withoutCommon(own: Parts, { group, all }: CommonIn, level: number): Parts {
  const shared = (read: (of: Parts) => string, from: number) =>
    level >= from && group.every((of) => read(of) === read(own)) ? "" : read(own);
  const apart = (read: (of: Parts) => readonly string[]) =>
    read(own).filter((setting) => !group.every((of) => read(of).includes(setting)));
  const settings = apart((of) => of.settings);
  const scheduleSettings = apart((of) => of.scheduleSettings);
  const schedule = shared((of) => of.schedule, 2);
  const rate = shared((of) => of.rate, 3);
  const said = settings.length + scheduleSettings.length > 0 || schedule !== "" || rate !== "";
  const isAlone = level >= 4 && said && all.length === group.length;
  return {
    run: own.run,
    optimizer: isAlone ? "" : own.optimizer,
    settings,
    schedule,
    scheduleSettings,
    rate,
  };
}

/** As an arm is written, as far as it is there. */
function textOf({ run, optimizer, settings, schedule, scheduleSettings, rate }: Parts): string {
  const bracketed = (word: string, inside: readonly string[]) =>
    inside.length === 0 ? word : word === "" ? inside.join(",") : `${word}(${inside.join(",")})`;
  const first = bracketed(optimizer, settings);
  const second = bracketed(schedule, scheduleSettings);
  const arm = [first, second].filter((text) => text !== "").join("+");
  return `${run}${arm}${rate === "" ? "" : arm === "" ? rate : `@${rate}`}`;
}

function partsOf(name: string): Parts {
  const [, run = "", arm = name] = /^([^(@+]*: )?(.*)$/s.exec(name) ?? [];
  const [head, ...rates] = splitAt(arm, "@");
  const [first = arm, ...schedules] = splitAt(head ?? arm, "+");
  const [optimizer, settings] = opened(first);
  const [schedule, scheduleSettings] = opened(schedules.join("+"));
  return { run, optimizer, settings, schedule, scheduleSettings, rate: rates.join("@") };
}

/** "clr(stepSize=4e)" and "(wsd:peak=0.1,steps=9)": the word, and what stands in its brackets. */
function opened(text: string): [string, string[]] {
  const [, word = "", inside] = /^([^(]*)\((.*)\)$/s.exec(text) ?? [];
  if (inside === undefined) return [text, []];
  if (word !== "") return [word, splitAt(inside, ",")];
  const [, type, rest] = /^([^:{(,]+):(.*)$/s.exec(inside) ?? [];
  return type === undefined || rest === undefined ? [text, []] : [type, splitAt(rest, ",")];
}

/** The pieces between a letter outside of brackets. */
function splitAt(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let [depth, from] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(" || text[i] === "{") depth += 1;
    if (text[i] === ")" || text[i] === "}") depth -= 1;
    if (text[i] !== separator || depth > 0) continue;
    pieces.push(text.slice(from, i));
    from = i + 1;
  }
  return [...pieces, text.slice(from)];
}
