/**
 * @file How wide a label will be, without a font to measure: classes of letters, each as wide as it
 * is in DejaVu Sans Bold, one of the widest faces that a reader may have. Never too narrow matters;
 * somewhat too wide costs a little room.
 */

import { present } from "../core/at.ts";

const SIZE = 12;

function widthInEm(letter: string): number {
  const code = present(letter.codePointAt(0), "letter");
  if (code >= 0x1f000) return 1.4;
  if (code >= 0x1100) return 1.06;
  if ("mwMWQO@%—…±×".includes(letter)) return 1.12;
  if (" iljftI.,:;'|!()[]-/".includes(letter)) return 0.46;
  if (letter !== letter.toLowerCase()) return 0.86;
  return "+=<>~^".includes(letter) ? 0.85 : 0.72;
}

/** Width in pixels of a bold label of 12 pixels, at most about. */
export const textWidth = (text: string) =>
  [...text].reduce((sum, letter) => sum + widthInEm(letter) * SIZE, 0);

/** The text, cut with an ellipsis where it would be wider than so many pixels. */
export function fitted(text: string, room: number): string {
  if (textWidth(text) <= room) return text;
  let kept = "";
  for (const letter of text) {
    if (textWidth(`${kept}${letter}…`) > room) break;
    kept += letter;
  }
  return `${kept.trimEnd()}…`;
}

/**
 * The text on one line where it has the room, else on two: broken after a space, a minus, a slash, a
 * plus or an @, a minus first, where what is cut off is least.
 */
export function wrapped(text: string, room: number): readonly string[] {
  if (textWidth(text) <= room) return [text];
  const lost = (lines: readonly string[]) =>
    lines.reduce((sum, line) => sum + Math.max(0, textWidth(line) - room), 0);
  const broken = [/(?<= − )/g, /(?<=[ /+@])/g].flatMap((places) =>
    [...text.matchAll(places)].map(({ index }) => [
      text.slice(0, index).trimEnd(),
      text.slice(index),
    ]),
  );
  const best = broken.reduce<readonly string[] | null>(
    (least, lines) => (least && lost(least) <= lost(lines) ? least : lines),
    null,
  );
  return (best ?? [text]).map((line) => fitted(line, room));
}

/** Whether `wrapped` has the room for all of the text. */
export const wraps = (text: string, room: number): boolean =>
  wrapped(text, room).join("").replaceAll(" ", "") === text.replaceAll(" ", "");

/** Width of the widest. */
export const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(textWidth));
