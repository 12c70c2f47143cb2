/** @file A line of words as a POSIX shell splits it: quotes and backslashes, and nothing that is expanded. */

import { ArgumentError } from "./errors.ts";

/** A part of a word: plain, escaped, in single or in double quotes. */
const PART = /[^\s'"\\]+|\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"/y;

/**
 * "--comment='a b' -p main" is two options with their values.
 * @param what where the line comes from, for the message
 * @throws ArgumentError where a quote is not closed
 */
export function shellWords(line: string, what: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; ) {
    if (/\s/.test(line.charAt(at))) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at++;
      continue;
    }
    PART.lastIndex = at;
    const found = PART.exec(line);
    if (!found)
      throw new ArgumentError(
        `${what}: a quote or backslash is not closed; got ${JSON.stringify(line)}`,
      );
    const [part, escaped, single, double] = found;
    word = `${word ?? ""}${escaped ?? single ?? double?.replaceAll(/\\([$`"\\])/g, "$1") ?? part}`;
    at = PART.lastIndex;
  }
  return word === undefined ? words : [...words, word];
}
