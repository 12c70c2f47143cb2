/** @file Words as a POSIX shell reads them back: for commands that are printed to be copied. */

import { visibleLine } from "./visible.ts";

/** What no shell looks at: anything else stands in quotes. A leading "=" or "~" is a matter of some shells. */
const PLAIN = /^[\w@%+:,./-][\w@%+=:,./-]*$/;

/**
 * A word that a POSIX shell reads as `word`, whatever is in it; without control characters, which a terminal would
 * obey and nobody could copy, unless it ends with a line feed. Quotes only where they are needed.
 */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word;
  // A shell takes line feeds off the end of what a command prints.
  if (visibleLine(word) !== word && !word.endsWith("\n")) return printed(word);
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** What printf makes of a text that is seen: bytes that are not, by their numbers. */
function printed(word: string): string {
  const bytes = new TextEncoder();
  const seen = (letter: string) => ({ "%": "%%", "\\": "\\\\", "'": "'\\''" })[letter] ?? letter;
  const format = [...word]
    .map((letter) =>
      visibleLine(letter) === letter
        ? seen(letter)
        : Array.from(bytes.encode(letter), octal).join(""),
    )
    .join("");
  return `"$(printf -- '${format}')"`;
}

const octal = (byte: number) => `\\${byte.toString(8).padStart(3, "0")}`;

/** Words as a line to paste into a shell. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(" ");
