/**
 * @file Arms whose optimizer or schedule is a file: `./mine.ts+cosine@0.1`, `sgd+./mine.ts`. A study names such a file
 * by its own name and the hash of its content; where it lies is said by the call, or remembered by this machine.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { armParts } from "../../arms/arm-text.ts";
import { isPartFile, type OwnSchedule, registerSchedule } from "../../arms/own-parts.ts";
import { ArgumentError, StoreError } from "../../core/errors.ts";
import { type OwnOptimizer, registerOptimizer } from "../../optimizers/index.ts";
import { importFile } from "./import-file.ts";

/** By the files' own names: where they lie on this machine. */
export type ArmFilePlaces = Readonly<Record<string, string>>;

/** As a study has them. */
export interface ArmFile {
  readonly name: string;
  /** Of its content, hexadecimal. */
  readonly sha256: string;
}

interface NamedArms {
  /** The arms, each file by its own name. */
  readonly texts: string[];
  readonly places: ArmFilePlaces;
}

/**
 * Takes the paths out of arms.
 * @throws ArgumentError for a text of another form, or two files of one name
 */
export function namedArms(texts: readonly string[], known: ArmFilePlaces = {}): NamedArms {
  const places: Record<string, string> = { ...known };
  const named = (part: string): string => {
    const [, word = part, rest = ""] = /^([^(]*)(.*)$/s.exec(part) ?? [];
    if (!isPartFile(word)) return part;
    const name = basename(word);
    // A name alone is that of a study, whose place is known.
    const place = name === word && known[name] !== undefined ? known[name] : word;
    if (places[name] !== undefined && resolve(places[name]) !== resolve(place))
      throw new ArgumentError(
        `arms: ${places[name]} and ${place} have one name, by which records could not tell them apart; rename one`,
      );
    places[name] = place;
    return name + rest;
  };
  const own = texts.map((text) => {
    if (!/\.[cm]?[jt]s\b/.test(text)) return text;
    const { optimizer, schedule, rate } = armParts(text);
    return `${named(optimizer)}${schedule === null ? "" : `+${named(schedule)}`}${rate === null ? "" : `@${rate}`}`;
  });
  return { texts: own, places };
}

/**
 * Loads the files of arms that name them, so that this process knows their optimizers and schedules.
 * @param recorded what they were when the study began, or was saved; default: whatever they are
 * @param since when that was, and what to do about another; for messages
 * @throws ArgumentError for a file that is not there, cannot be run, or exports neither
 * @throws StoreError, exit code 2, for one that is not what it was
 */
export async function loadArmFiles(
  texts: readonly string[],
  places: ArmFilePlaces,
  recorded: readonly ArmFile[] = [],
  since = "when the run began; bring that back, or begin anew",
): Promise<ArmFile[]> {
  const files = new Map<string, ArmFile>();
  for (const text of texts) {
    if (!/\.[cm]?[jt]s\b/.test(text)) continue;
    const { optimizer, schedule } = armParts(text);
    for (const [what, part] of [
      ["optimizer", optimizer],
      ["schedule", schedule],
    ] as const) {
      const word = part === null ? null : (/^[^(]*/.exec(part)?.[0] ?? part);
      if (word === null || !isPartFile(word)) continue;
      const file = await loadPart(what, word, places[word] ?? word);
      const before = recorded.find(({ name }) => name === word);
      if (before && before.sha256 !== file.sha256)
        throw new StoreError(`${word}: the file with the ${what} is not what it was ${since}`, {
          exitCode: 2,
        });
      files.set(word, file);
    }
  }
  return [...files.values()];
}

/** Makes the optimizer of a task known, where that is of a file; its schedule the task has whole. */
export async function loadOptimizer(name: string, places: ArmFilePlaces = {}): Promise<void> {
  const place = places[name];
  if (place !== undefined) await loadPart("optimizer", name, place);
}

const EXPORTS = {
  optimizer: 'that exports "optimizer", as defineOptimizer makes it',
  schedule:
    'that exports "schedule": ({ rate, steps, updatesPerEpoch }) => a schedule of lrscope/schedules, or a schedule itself',
} as const;

/** Hashes of the files whose code has run in this process, by part and path: it runs once. */
const LOADED = new Map<string, string>();

async function loadPart(what: keyof typeof EXPORTS, name: string, path: string): Promise<ArmFile> {
  const subject = `${what} ${path}`;
  const key = `${what} ${name} ${resolve(path)}`;
  if (existsSync(path) && LOADED.get(key) === hashOf(path)) return { name, sha256: hashOf(path) };
  const exported = await importFile(path, {
    subject,
    wanted: `a .ts or .js file ${EXPORTS[what]}`,
  });
  const part = exported[what] ?? exported.default;
  const isObject = typeof part === "object" && part !== null;
  const fits =
    what === "schedule"
      ? typeof part === "function" || (isObject && "toJSON" in part)
      : (typeof part === "function" && "optimizerName" in part) ||
        (isObject && "expression" in part && "hyperparameters" in part);
  if (!fits)
    throw new ArgumentError(
      `${subject}: must be a file ${EXPORTS[what]}; it exports ${Object.keys(exported).join(", ") || "nothing"}`,
    );
  if (what === "schedule") registerSchedule(name, part as OwnSchedule);
  else registerOptimizer(name, part as OwnOptimizer);
  const sha256 = hashOf(path);
  LOADED.set(key, sha256);
  return { name, sha256 };
}

const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * Where a study's files lie: where they were when they were last used here, or in the folder in which the call is made.
 * @param call "compare --resume my-run"
 * @throws ArgumentError naming the first that is in neither place
 */
export async function findArmFiles(
  call: string,
  recorded: readonly ArmFile[],
  said: ArmFilePlaces = {},
): Promise<ArmFilePlaces> {
  const { knownPlace } = await import("../../datasets/cache/places.ts");
  const found = recorded.map(({ name, sha256 }): [string, string] => {
    const places = [said[name], knownPlace(sha256), name].filter(
      (place) => typeof place === "string",
    );
    const place = places.find(
      (path) => existsSync(path) && (path !== name || hashOf(path) === sha256),
    );
    if (place === undefined)
      throw new ArgumentError(
        `${call}: the file ${name}, which its arms are made of, is not where it was; run the command in the folder that holds it`,
      );
    return [name, place];
  });
  return Object.fromEntries(found);
}
