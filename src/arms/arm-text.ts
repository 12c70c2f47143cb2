/**
 * @file The text of an arm, taken apart: `NAME[(SETTINGS)][+SCHEDULE[(SETTINGS)]][@RATE]`, as in `adam`,
 * `sgd+clr`, `rmsprop@1e-3`, `sgd(momentum=0.9,nesterov)+clr(stepSize=4e,mode=triangular2)@0.05`,
 * `adamw(beta2=0.95)+warmup-cosine@3e-4`, `sgd+(wsd:peak=0.1,steps=1000,down=200)`.
 */

import { ArgumentError } from "../core/errors.ts";
import { shortened } from "../core/shown.ts";

export interface ArmText {
  readonly optimizer: string;
  /** As they are written; a word alone has the value null. */
  readonly optimizerSettings: ReadonlyMap<string, string | null>;
  /** A word, or "(SPEC)". */
  readonly schedule: string | null;
  readonly scheduleSettings: ReadonlyMap<string, string | null>;
  readonly rate: string | null;
}

/** The three parts of an arm, as they are written: settings stay with what they are of. */
export interface ArmParts {
  readonly optimizer: string;
  readonly schedule: string | null;
  readonly rate: string | null;
}

const refusing = (text: string) => (): never => {
  throw new ArgumentError(
    `arm "${shortened(text)}": must be NAME[(SETTING=VALUE,...)][+SCHEDULE[(SETTING=VALUE,...)]][@RATE], such as adam, sgd(momentum=0.9)+clr or rmsprop@1e-3`,
  );
};

/** @throws ArgumentError for a text of another form, or brackets that do not match */
export function armParts(text: string): ArmParts {
  const refuse = refusing(text);
  const [head, rate] = cutAt(text.trim(), "@", refuse);
  const [optimizer, schedule] = cutAt(head, "+", refuse);
  if (rate === "" || schedule === "") refuse();
  return { optimizer, schedule, rate };
}

/** @throws ArgumentError for a text of another form, brackets that do not match, or a setting given twice */
export function readArmText(text: string): ArmText {
  const whole = text.trim();
  const refuse = refusing(text);
  const { optimizer: first, schedule: second, rate } = armParts(text);
  const [optimizer, optimizerSettings] = bracketed(first, whole, refuse);
  const isSpec = second?.startsWith("(") ?? false;
  if (isSpec && !second?.endsWith(")")) refuse();
  const [schedule, scheduleSettings] =
    second === null || isSpec
      ? [second, new Map<string, string | null>()]
      : bracketed(second, whole, refuse);
  return { optimizer, optimizerSettings, schedule, scheduleSettings, rate };
}

/** What stands before and after the first separator outside brackets; null behind where there is none. */
function cutAt(text: string, separator: string, refuse: () => never): [string, string | null] {
  let depth = 0;
  for (const [i, letter] of [...text].entries()) {
    if (letter === "(") depth += 1;
    if (letter === ")") depth -= 1;
    if (depth < 0) refuse();
    if (letter === separator && depth === 0) {
      const before = [...text].slice(0, i).join("");
      return [before.trim(), text.slice(before.length + separator.length).trim()];
    }
  }
  if (depth !== 0) refuse();
  return [text.trim(), null];
}

/** "sgd(momentum=0.9,nesterov)": the word, and its settings. */
function bracketed(
  text: string,
  whole: string,
  refuse: () => never,
): [string, Map<string, string | null>] {
  const [, word = "", inside] = /^([^()]+)(?:\(([^()]*)\))?$/.exec(text) ?? refuse();
  const settings = new Map<string, string | null>();
  for (const part of (inside ?? "").split(",")) {
    if (part.trim() === "") {
      if (inside === undefined || inside.trim() === "") continue;
      refuse();
    }
    const equals = part.indexOf("=");
    const key = (equals < 0 ? part : part.slice(0, equals)).trim();
    const value = equals < 0 ? null : part.slice(equals + 1).trim();
    if (key === "" || value === "") refuse();
    if (settings.has(key))
      throw new ArgumentError(
        `arm "${shortened(whole)}": ${shortened(key)} is given twice; give it once`,
      );
    settings.set(key, value);
  }
  return [word.trim(), settings];
}
