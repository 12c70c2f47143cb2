/**
 * @file Colours, each by name, light and dark. The ten series colours lie about 7 (of 100) or more apart
 * in OKLab as seen with normal, protan, deutan and tritan vision (Machado et al. 2009, severity 1),
 * and have a contrast of 3 or more to the paper. Each comes with a line style of its own, and lines
 * are labelled besides, so that nothing is told by colour alone.
 */

import { at } from "../core/at.ts";

/** [light, dark] */
export const palette = {
  paper: ["#ffffff", "#14171c"],
  ink: ["#1b1f26", "#e9ecf1"],
  muted: ["#59616e", "#a2abb8"],
  axis: ["#a5adb8", "#5a6370"],
  grid: ["#e6e9ed", "#272c34"],
  1: ["#1a5fd0", "#5b9dff"],
  2: ["#c9400a", "#ff7a3d"],
  3: ["#0d8f70", "#5fe0b4"],
  4: ["#8a2275", "#c765c0"],
  5: ["#b08a00", "#f2cf5b"],
  6: ["#2a303a", "#e8ecf2"],
  7: ["#9685e6", "#b7bdff"],
  8: ["#ee58ab", "#d8322e"],
  9: ["#1212b4", "#9a3fe0"],
  10: ["#6b2f12", "#2f8577"],
} as const satisfies Record<string, readonly [light: string, dark: string]>;

const SERIES = 10;

const column = (side: 0 | 1): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(palette).map(([name, pair]) => [name, pair[side]]));

export const lightColours = column(0);
export const darkColours = column(1);

/** CSS custom properties, `--lr-ink: #1b1f26;` and so on. */
export const declarations = (colours: Readonly<Record<string, string>>) =>
  Object.entries(colours)
    .map(([name, colour]) => `--lr-${name}:${colour}`)
    .join(";");

export interface SeriesLook {
  readonly colour: string;
  /** SVG dash pattern; [1, 0] is solid. */
  readonly dash: readonly number[];
}

/** Of neighbours never the same: with the labels at the lines' ends, a third way to tell them apart. */
const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [12, 3],
  [4, 2],
  [12, 3, 3, 3],
  [20, 3],
  [8, 2, 2, 2, 2, 2],
  [2, 4],
  [16, 3, 5, 3],
  [7, 5],
];

/** How the i-th series of a figure looks, i from 0. Beyond ten the colours repeat, with other dashes: of ninety none is another's. */
export function seriesLook(index: number): SeriesLook {
  return {
    colour: `var(--lr-${(index % SERIES) + 1})`,
    dash: at(DASHES, index % DASHES.length, "DASHES"),
  };
}

/** Of several experiments side by side: the arm has the colour, the experiment the line style. */
export const experimentLook = (arm: number, experiment: number): SeriesLook => ({
  colour: `var(--lr-${(arm % SERIES) + 1})`,
  dash: at(DASHES, experiment % DASHES.length, "DASHES"),
});
