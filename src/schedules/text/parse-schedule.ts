/**
 * @file Schedules as people write them on a command line: "triangular:base=1e-4,max=1e-2,step=216".
 *
 *   TYPE:KEY=VALUE,...            a value is a number, a word, or numbers with / between
 *   warmup:steps=10,schedule=(cosine:peak=0.1,steps=90)
 *   sequence:10=(linear:from=0,to=0.1,steps=10),90=(constant:lr=0.1)
 *   piecewise:points=0:0.1/50:0.01
 */

import { ArgumentError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest-name.ts";
import { shortened, shown } from "../../core/shown.ts";
import { type Schedule, type ScheduleSpec, scheduleFromJSON, scheduleTypes } from "../index.ts";
import { MOST_LEVELS, tooDeep } from "../schedule.ts";
import { KEY_WORDS, TYPE_WORDS, typeOf } from "./schedule-words.ts";

const TYPES = [...scheduleTypes, "reduceOnPlateau"];

/**
 * The specification that the words, or the JSON, stand for; its values are not checked yet.
 * @throws ArgumentError naming the part that is wrong, and the nearest known word
 */
export const parseScheduleWords = (text: string): ScheduleSpec =>
  text.trimStart().startsWith("{") ? fromJSON(text) : fromWords(text, 1);

/**
 * The schedule that a specification stands for: words such as "cosine:peak=0.1,steps=500", or JSON.
 * @throws ArgumentError naming the part that is wrong, and the nearest known word
 */
export const parseSchedule = (text: string): Schedule => scheduleFromJSON(parseScheduleWords(text));

function fromJSON(text: string): ScheduleSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ArgumentError(`schedule: SPEC is not JSON: ${shortened((error as Error).message)}`);
  }
  if (typeof (value as ScheduleSpec).type !== "string")
    throw new ArgumentError(
      'schedule: the JSON of a schedule must have a "type", as in {"type":"constant","rate":1e-3}',
    );
  return value as ScheduleSpec;
}

function fromWords(text: string, level: number): ScheduleSpec {
  if (level > MOST_LEVELS) throw tooDeep();
  const colon = text.indexOf(":");
  const word = (colon < 0 ? text : text.slice(0, colon)).trim();
  const type = typeOf(word, TYPES);
  if (!TYPES.includes(type)) {
    const known = [...TYPES, ...Object.keys(TYPE_WORDS)];
    throw new ArgumentError(
      `schedule: unknown type ${shown(word)}${didYouMean(word, known)} Types: ${known.join(", ")}`,
    );
  }
  const spec: ScheduleSpec = { type };
  const parts: { steps: number; schedule: ScheduleSpec }[] = [];
  for (const part of outside(colon < 0 ? "" : text.slice(colon + 1), ",")) {
    const [key, value] = keyAndValue(part);
    if (type === "sequence" && /^\d+$/.test(key)) {
      parts.push({ steps: Number(key), schedule: fromWords(inBrackets(value, part), level + 1) });
      continue;
    }
    const name = KEY_WORDS[type]?.[key] ?? key;
    if (name in spec)
      throw new ArgumentError(`schedule: ${shown(key)} is given twice; give it once`);
    spec[name] = value.startsWith("(")
      ? fromWords(inBrackets(value, part), level + 1)
      : readValue(name, value, part);
  }
  if (parts.length > 0) spec.parts = parts;
  return spec;
}

function keyAndValue(part: string): [key: string, value: string] {
  const at = part.indexOf("=");
  const [key, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  if (at <= 0 || value === "") refuse(part);
  return [key, value];
}

function readValue(name: string, text: string, part: string): unknown {
  if (name === "milestones") return text.split("/").map((item) => numberOf(item, part));
  if (name === "points")
    return text.split("/").map((item) => item.split(":").map((number) => numberOf(number, part)));
  return WORDS.has(name) ? text : numberOf(text, part);
}

/** Options whose value is a word. */
const WORDS = new Set(["decay", "dialect", "anneal", "shape", "between", "mode", "thresholdMode"]);

function numberOf(text: string, part: string): number {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : refuse(part);
}

function inBrackets(value: string, part: string): string {
  if (!(value.startsWith("(") && value.endsWith(")")))
    throw new ArgumentError(
      `schedule: ${shown(part.trim())} must hold a schedule in round brackets, as in 90=(cosine:peak=0.1,steps=90)`,
    );
  return value.slice(1, -1);
}

function refuse(part: string): never {
  throw new ArgumentError(
    `schedule: ${shown(part.trim())} must be KEY=NUMBER, as in triangular:base=1e-4,max=1e-2,step=216`,
  );
}

/** Split at a separator that no bracket is open around; empty parts left out. */
export function outside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let i = 0; i <= text.length; i++) {
    const letter = text[i];
    if (letter === "(") depth += 1;
    if (letter === ")") depth -= 1;
    if (i === text.length || (letter === separator && depth === 0)) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  if (depth !== 0) throw new ArgumentError(`schedule: brackets do not match in ${shown(text)}`);
  return parts.filter((part) => part.trim() !== "");
}
