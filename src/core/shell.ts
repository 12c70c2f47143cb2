/** @file Words as a POSIX shell reads them back: for commands that are printed to be copied. */

/** What no shell looks at: anything else stands in quotes. A leading "=" or "~" is a matter of some shells. */
const PLAIN = /^[\w@%+:,./-][\w@%+=:,./-]*$/;

/** A word that a POSIX shell reads as `word`, whatever is in it. Quotes only where they are needed. */
export const shellWord = (word: string): string =>
  PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Words as a line to paste into a shell. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(" ");
