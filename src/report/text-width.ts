/**
 * @file How wide a label will be, without a font to measure: classes of letters, each as wide as it
 * is in DejaVu Sans Bold, one of the widest faces that a reader may have. Never too narrow matters;
 * somewhat too wide costs a little room.
 */

const SIZE = 12;

function widthInEm(letter: string): number {
  const code = letter.codePointAt(0)!;
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

/** Width of the widest. */
export const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(textWidth));
