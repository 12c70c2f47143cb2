/** @file How many columns of a terminal a text takes, and how it is made to fit them. */

import { stripVTControlCharacters } from "node:util";
import { cutInTheMiddle } from "../../core/short-name.ts";

/** Scripts and pictures whose letters take two columns: East Asian Wide and Fullwidth, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Marks that stand on the letter before, and what is seen by nobody. */
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** A colour before the terminal lets it through: see its signature in ../terminal.ts. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for.
const SIGNED = /\x1b[0-9a-f]{16}\[[\d;]*m/g;

/** Columns that a line takes; colours take none. */
export function columnsOf(text: string): number {
  const plain = stripVTControlCharacters(text.replace(SIGNED, ""));
  let columns = 0;
  for (const letter of plain) columns += NONE.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return columns;
}

/** With spaces behind it ("left"), or before it ("right"), up to so many columns. */
export function paddedTo(text: string, columns: number, side: "left" | "right"): string {
  const spaces = " ".repeat(Math.max(0, columns - columnsOf(text)));
  return side === "left" ? text + spaces : spaces + text;
}

/**
 * Each line broken at spaces so that none is wider; what is broken off goes on set in by two. A word that is wider
 * alone stays whole: it may be a path to copy.
 */
export function fitted(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => (columnsOf(line) <= width ? [line] : broken(line, width)))
    .join("\n");
}

function broken(line: string, width: number): string[] {
  const [indent = ""] = /^ */.exec(line) ?? [];
  const further = `${indent}  `;
  const lines: string[] = [];
  let [current, begun] = [indent, false];
  for (const [i, word] of line.slice(indent.length).split(" ").entries()) {
    const longer = begun ? `${current} ${word}` : current + word;
    if (i > 0 && begun && columnsOf(longer.trimEnd()) > width && word !== "") {
      lines.push(current.trimEnd());
      current = further + word;
    } else current = longer;
    begun = true;
  }
  return [...lines, current.trimEnd()];
}

/** A text of one line in so many columns: cut in its middle where it is wider. */
export function shortenedTo(text: string, width: number): string {
  for (let most = [...text].length; most > 0; most--) {
    const cut = cutInTheMiddle(text, most);
    if (columnsOf(cut) <= width) return cut;
  }
  return "";
}
