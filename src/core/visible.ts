/**
 * @file Text of foreign origin for a terminal: class, file and tensor names may hold what a terminal obeys
 * (cursor, colours, its title, the clipboard) or what turns the order of letters round.
 */

/**
 * C0 but for the line feed, DEL, C1; and what is seen by nobody: marks, overrides and isolates of
 * direction, spaces without width, separators of lines and paragraphs, the byte order mark.
 * Joiners (U+200C, U+200D) stay: scripts and emoji are written with them.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const escaped = (character: string): string => {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** Lines stay lines; every other control character is written out, as in "\x1b". */
export const visible = (text: string): string => text.replace(HIDDEN, escaped);

/** The same in one line: a name, a cell of a table. */
export const visibleLine = (text: string): string => visible(text).replaceAll("\n", "\\n");

/** JSON that a terminal may show: what JSON.stringify leaves of control characters, written out as JSON does. */
export const visibleJson = (json: string): string =>
  json.replace(
    HIDDEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
