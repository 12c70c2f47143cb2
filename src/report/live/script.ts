/**
 * @file The text of the page's script, made of the functions that do the drawing here: one piece of
 * code draws the figures as they are written and as a reader changes them. docs/decisions/0019.
 */

import { formatRate } from "../format.ts";
import { escapeText, printable } from "../html.ts";
import { placeLabels } from "../labels.ts";
import {
  bandPath,
  drawLines,
  type LinePlot,
  linePath,
  pixelOf,
  tenth,
  tenthText,
} from "../plot/line-plot.ts";
import {
  controlsOf,
  enhance,
  enhanceGroup,
  enhanceTitles,
  fillTip,
  followPointer,
  placeTip,
  readLine,
  shortTitle,
  valueText,
} from "./enhance.ts";
import { markScrolling } from "./scrolling.ts";

/** Every function that runs in the page. Each refers to its arguments, and to others of its file. */
const functions = [
  printable,
  escapeText,
  placeLabels,
  pixelOf,
  tenth,
  tenthText,
  linePath,
  bandPath,
  drawLines,
  formatRate,
  controlsOf,
  enhanceGroup,
  enhanceTitles,
  fillTip,
  followPointer,
  placeTip,
  readLine,
  shortTitle,
  valueText,
  markScrolling,
  enhance,
];

/** What stands between <script> and </script>. */
export function pageScript(): string {
  const tools = { drawLines, placeLabels, escapeText, pixelOf, formatRate };
  const handed = Object.entries(tools).map(([name, tool]) => `${name}:${tool.name}`);
  const text = `(()=>{"use strict";\n${functions.map(withoutMargins).join("\n")}\n${enhance.name}({${handed}});\n${markScrolling.name}()})()`;
  // A script element ends at these letters, wherever they stand.
  return text.replaceAll("</script", "<\\/script");
}

/** Without comments of a line's own and without indentation: a third of the size. */
const withoutMargins = (code: (...args: never[]) => unknown) =>
  String(code)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("//"))
    .join("\n");

/** The plots of a group of figures, as what stands in a <script type="application/json">. */
export const plotsJson = (plots: readonly LinePlot[]) =>
  JSON.stringify(plots).replaceAll("<", "\\u003c");
